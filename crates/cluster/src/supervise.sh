# Runs a PostgreSQL server for as long as standard input stays open. The process that owns the
# cluster holds the other end, so the server ends with it, even after kill -9.
#   $1 server program  $2 data directory  $3 log  $4 signal that stops it
#   the rest: directories to remove once the owner is gone
program=$1 data=$2 log=$3 signal=$4
shift 4
exec 3<&0 </dev/null
"$program" -D "$data" >>"$log" 2>&1 3<&- &
server=$!
closing=
trap 'closing=yes; kill -s "$signal" "$server" 2>/dev/null' USR1
(
    cat <&3 >/dev/null
    kill -s USR1 $$ 2>/dev/null
) &
watch=$!
exec 3<&-
# The trap interrupts wait, so wait until the server is really gone.
while :; do
    wait "$server"
    status=$?
    kill -0 "$server" 2>/dev/null || break
done
kill "$watch" 2>/dev/null
[ -z "$closing" ] || [ $# -eq 0 ] || rm -rf -- "$@"
exit "$status"
