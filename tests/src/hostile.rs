//! What nobody types: statements and messages of sizes and shapes that break readers. Each is to be
//! answered or refused, soon, in bounded memory, and with everybody else's session as it was.

use std::fmt::Write as _;

use bytes::BytesMut;
use phigate_wire::frontend::{self, Bind};

/// A statement of this length is still read, in bytes; see `docs/refusals.md`.
const LONGEST: usize = 4 << 20;

/// Values of one Bind: PostgreSQL counts them in 16 bits.
const MOST_VALUES: usize = 65_535;

/// Something to say to the gateway.
#[derive(Debug, Clone)]
pub struct Hostile {
    /// What it is.
    pub name: &'static str,
    /// The messages; the last is Query or Sync.
    pub messages: BytesMut,
    /// How many of them are Query or Sync.
    pub ends: usize,
}

/// In which way it is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Too {
    /// Bytes of text.
    Long,
    /// Items in a list.
    Wide,
    /// Links of a chain.
    Chained,
    /// Levels.
    Deep,
    /// Messages of the extended protocol.
    Many,
}

impl Too {
    /// Every way.
    pub const ALL: [Self; 5] = [
        Self::Long,
        Self::Wide,
        Self::Chained,
        Self::Deep,
        Self::Many,
    ];

    /// What is too much in this way, one at a time: together they are some 100 MiB. Over the tables
    /// of [`phigate_testkit::hospital`].
    pub fn much(self) -> Box<dyn Iterator<Item = Hostile>> {
        let shapes = match self {
            Self::Long => LONG,
            Self::Wide => WIDE,
            Self::Chained => CHAINED,
            Self::Deep => DEEP,
            Self::Many => {
                return Box::new(MANY.iter().map(|(name, ends, write)| {
                    let mut messages = BytesMut::new();
                    write(&mut messages);
                    frontend::sync(&mut messages);
                    Hostile {
                        name,
                        messages,
                        ends: ends + 1,
                    }
                }));
            }
        };
        Box::new(shapes.iter().map(|(name, text)| {
            let mut messages = BytesMut::new();
            frontend::query(&text(), &mut messages);
            Hostile {
                name,
                messages,
                ends: 1,
            }
        }))
    }
}

/// What honest programs send, however large: refusing it would be a defect.
pub const ANSWERED: &[&str] = &[
    "literal, 4 MiB",
    "comment, 4 MiB",
    "IN list, 100,000 numbers",
    "IN list, 100,000 texts, masked column",
    "VALUES, 40,000 rows",
    "CASE, 4,000 arms",
    "Bind, 65,535 values",
    "Bind, one value of 4 MiB",
    "pipeline, 10,000 statements",
    "pipeline, 10,000 executions",
    "pipeline, 10,000 Syncs",
    "queries, 10,000 at once",
];

type Shape = (&'static str, fn() -> String);

const LONG: &[Shape] = &[
    ("literal, 4 MiB", || {
        let around = "select length('')".len();
        format!("select length('{}')", "x".repeat(LONGEST - around))
    }),
    ("literal, over 4 MiB", || {
        format!("select length('{}')", "x".repeat(LONGEST))
    }),
    ("literal, 15 MiB", || {
        format!("select length('{}')", "x".repeat(15 << 20))
    }),
    ("comment, 4 MiB", || {
        format!("select 1 /*{}*/", "x".repeat(LONGEST - 100))
    }),
    ("comments in comments, 1 M", || {
        format!("select 1 {}", "/*".repeat(1_000_000))
    }),
    ("string without end, 4 MiB", || {
        format!("select '{}", "x''".repeat(LONGEST / 3 - 10))
    }),
    ("dollar quotes without end, 4 MiB", || {
        format!("select $a${}", "$b$ ".repeat(LONGEST / 4 - 10))
    }),
    ("spaces, 4 MiB", || {
        format!("select{}1", " ".repeat(LONGEST - 100))
    }),
    ("semicolons, 4 MiB", || ";".repeat(LONGEST - 100)),
    ("operator characters, 1 MiB", || {
        format!("select 1 {} 1", "+".repeat(1 << 20))
    }),
    ("number, 1 MiB", || {
        format!("select {}", "9".repeat(1 << 20))
    }),
    ("identifier, 1 MiB", || {
        format!("select \"{}\" from patients", "é".repeat(1 << 19))
    }),
    ("alias, 1 MiB", || {
        format!("select 1 as \"{}\"", "a".repeat(1 << 20))
    }),
];

const WIDE: &[Shape] = &[
    ("IN list, 100,000 numbers", || {
        let list = join(100_000, ",", |n| n.to_string());
        format!("select count(*) from patients where patient_id in ({list})")
    }),
    ("IN list, 100,000 texts, masked column", || {
        let list = join(100_000, ",", |n| format!("'name {n}'"));
        format!("select count(*) from patients where last_name in ({list})")
    }),
    ("VALUES, 40,000 rows", || {
        let rows = join(40_000, ",", |n| format!("({n},'r{n}')"));
        format!("select count(*) from (values {rows}) as v(a, b)")
    }),
    ("array, 100,000 elements", || {
        format!(
            "select array_length(array[{}], 1)",
            join(100_000, ",", |n| n.to_string())
        )
    }),
    ("select list, 100,000 columns", || {
        format!("select {}", join(100_000, ",", |n| format!("1 as c{n}")))
    }),
    ("select list, 10,000 stars", || {
        format!(
            "select {} from patients",
            join(10_000, ",", |_| "*".to_owned())
        )
    }),
    ("stars that double, 100 times", || {
        let mut text = "select * from patients".to_owned();
        for level in 0..100 {
            text = format!("select *, * from ({text}) as t{level}");
        }
        text
    }),
    ("CTEs whose stars double, 1,000", || {
        let with = join(1_000, ",", |n| match n {
            0 => "c0 as (select * from patients)".to_owned(),
            n => format!("c{n} as (select a.*, b.* from c{0} a, c{0} b)", n - 1),
        });
        format!("with {with} select count(*) from c999")
    }),
    ("GROUP BY, 10,000 columns", || {
        let columns = join(10_000, ",", |n| format!("patient_id + {n}"));
        format!("select count(*) from patients group by {columns}")
    }),
    ("ORDER BY, 10,000 columns", || {
        let columns = join(10_000, ",", |n| format!("patient_id + {n}"));
        format!("select 1 from patients order by {columns}")
    }),
    ("CASE, 4,000 arms", || {
        let arms = join(4_000, " ", |n| format!("when patient_id = {n} then {n}"));
        format!("select sum(case {arms} end) from patients")
    }),
    ("CASE, 20,000 arms", || {
        let arms = join(20_000, " ", |n| format!("when patient_id = {n} then {n}"));
        format!("select sum(case {arms} end) from patients")
    }),
    ("call, 20,000 arguments", || {
        format!("select concat({})", join(20_000, ",", |n| n.to_string()))
    }),
    ("windows, 5,000", || {
        let windows = join(5_000, ",", |n| {
            format!("w{n} as (order by patient_id + {n})")
        });
        format!("select count(*) over w4999 from patients window {windows}")
    }),
    ("column names of a function, 50,000", || {
        let names = join(50_000, ",", |n| format!("c{n}"));
        format!("select 1 from generate_series(1, 2) as s({names})")
    }),
    ("statements, 50,000", || "select 1;".repeat(50_000)),
    ("statements, 1,000", || "select 1;".repeat(1_000)),
    ("parameters, 100,000", || {
        format!("select {}", join(100_000, "+", |n| format!("${}", n + 1)))
    }),
];

const CHAINED: &[Shape] = &[
    ("chain of +, 20,000", || chain("select 1", " + 1", 20_000)),
    ("chain of ||, 20,000", || {
        chain("select 'a'", " || 'a'", 20_000)
    }),
    ("chain of AND, 20,000", || {
        chain("select true", " and true", 20_000)
    }),
    ("chain of OR over a masked column, 4,000", || {
        chain(
            "select count(*) from patients where ssn = 'a'",
            " or ssn = 'b'",
            4_000,
        )
    }),
    ("chain of casts, 20,000", || {
        chain("select 1", "::int4", 20_000)
    }),
    ("chain of subscripts, 20,000", || {
        chain("select array[1]", "[1]", 20_000)
    }),
    ("chain of NOT, 20,000", || {
        format!("select {}true", "not ".repeat(20_000))
    }),
    ("chain of signs, 20,000", || {
        format!("select {}1", "- ".repeat(20_000))
    }),
    ("chain of ->, 4,000", || {
        chain("select '{}'::jsonb", " -> 'a'", 4_000)
    }),
    ("UNION ALL, 20,000", || {
        chain("select 1", " union all select 1", 20_000)
    }),
    ("EXCEPT, 900", || chain("select 1", " except select 1", 900)),
    ("joins, 10,000", || {
        chain(
            "select 1 from encounters v",
            " cross join departments",
            10_000,
        )
    }),
    ("joins with ON, 10,000", || {
        let joins = join(10_000, " ", |n| {
            format!("join patients p{n} on p{n}.patient_id = p.patient_id")
        });
        format!("select count(*) from patients p {joins}")
    }),
    // Beyond these, PostgreSQL itself plans for minutes.
    ("comma joins of a masked table, 50", || {
        let from = join(50, ",", |n| format!("patients p{n}"));
        format!("select 1 from {from} where false")
    }),
    ("natural joins, 10", || {
        let joins = join(10, " ", |n| format!("natural join patients p{n}"));
        format!("select count(*) from patients {joins} where false")
    }),
    ("CTEs, 5,000", || {
        let with = join(5_000, ",", |n| format!("c{n} as (select 1)"));
        format!("with {with} select 1")
    }),
];

const DEEP: &[Shape] = &[
    ("parentheses, 1,000", || nest("(", "1", ")", 1_000)),
    ("parentheses, 1,000,000", || nest("(", "1", ")", 1_000_000)),
    ("parentheses never closed, 1,000,000", || {
        format!("select {}", "(".repeat(1_000_000))
    }),
    ("subqueries, 1,000", || nest("(select ", "1", ")", 1_000)),
    ("subqueries in FROM, 1,000", || {
        format!(
            "{}select 1{}",
            "select 1 from (".repeat(1_000),
            ") as t".repeat(1_000)
        )
    }),
    ("subqueries that see a table 100 levels up", || {
        let open = "select (select max(v.encounter_id) from encounters v where v.patient_id = p.patient_id and exists (";
        format!(
            "select count(*) from patients p where exists ({}select 1 where p.ssn is null{})",
            open.repeat(50),
            "))".repeat(50)
        )
    }),
    ("calls, 1,000", || nest("abs(", "1", ")", 1_000)),
    ("CASE in CASE, 1,000", || {
        nest("case when true then ", "1", " end", 1_000)
    }),
    ("arrays in arrays, 1,000", || {
        nest("array[", "1", "]", 1_000)
    }),
    ("rows in rows, 1,000", || nest("row(", "1", ")", 1_000)),
    ("JSON, 100,000 deep", || {
        let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
        format!("select jsonb_typeof('{open}{close}'::jsonb)")
    }),
    ("array literal, 100,000 deep", || {
        format!(
            "select '{}1{}'::int4[]",
            "{".repeat(100_000),
            "}".repeat(100_000)
        )
    }),
    ("EXPLAIN of EXPLAIN, 1,000", || {
        format!("{}select 1", "explain ".repeat(1_000))
    }),
];

/// What it is, how many Query and Sync are in it before the last Sync, and how it is written.
type Messages = (&'static str, usize, fn(&mut BytesMut));

const MANY: &[Messages] = &[
    ("Bind, 65,535 values", 0, |out| {
        let places = join(MOST_VALUES, ",", |n| format!("${}", n + 1));
        frontend::parse("", &format!("select 1::int4 in ({places})"), &[], out);
        bind(MOST_VALUES, out);
        frontend::execute("", 0, out);
    }),
    ("Bind, more values than places", 0, |out| {
        frontend::parse("", "select 1", &[], out);
        bind(MOST_VALUES, out);
        frontend::execute("", 0, out);
    }),
    ("Bind, one value of 4 MiB", 0, |out| {
        frontend::parse("", "select length($1::text)", &[], out);
        let value = vec![b'x'; 4 << 20];
        write_bind(&[Some(&value)], out);
        frontend::execute("", 0, out);
    }),
    ("Parse, 60,000 parameter types", 0, |out| {
        frontend::parse("", "select 1", &vec![23; 60_000], out);
    }),
    ("pipeline, 10,000 statements", 0, |out| {
        for _ in 0..10_000 {
            frontend::parse(
                "",
                "select last_name from patients where patient_id = $1",
                &[],
                out,
            );
            bind(1, out);
            frontend::execute("", 0, out);
        }
    }),
    ("pipeline, 10,000 executions", 0, |out| {
        let sql = "select last_name from patients where patient_id = $1";
        frontend::parse("", sql, &[], out);
        for _ in 0..10_000 {
            bind(1, out);
            frontend::execute("", 0, out);
        }
    }),
    ("pipeline, 10,000 statements after an error", 0, |out| {
        frontend::parse("", "select 1/0", &[], out);
        for _ in 0..10_000 {
            bind(0, out);
            frontend::execute("", 0, out);
            frontend::parse("", "select 1", &[], out);
        }
    }),
    ("pipeline, 10,000 Syncs", 10_000, |out| {
        for _ in 0..10_000 {
            frontend::parse("", "select 1", &[], out);
            frontend::sync(out);
        }
    }),
    ("queries, 10,000 at once", 10_000, |out| {
        for _ in 0..10_000 {
            frontend::query("select 1", out);
        }
    }),
    ("Parse, 12,000 names", 0, |out| {
        for n in 0..12_000 {
            frontend::parse(&format!("s{n}"), "select 1", &[], out);
        }
    }),
];

fn bind(values: usize, out: &mut BytesMut) {
    write_bind(&vec![Some(b"7"); values], out);
}

fn write_bind<V: AsRef<[u8]>>(values: &[Option<V>], out: &mut BytesMut) {
    frontend::bind(
        &Bind {
            portal: "",
            statement: "",
            param_formats: Vec::new(),
            params: values
                .iter()
                .map(|value| value.as_ref().map(AsRef::as_ref))
                .collect(),
            result_formats: Vec::new(),
        },
        out,
    );
}

fn chain(start: &str, link: &str, count: usize) -> String {
    format!("{start}{}", link.repeat(count))
}

fn nest(open: &str, middle: &str, close: &str, count: usize) -> String {
    format!(
        "select {}{middle}{}",
        open.repeat(count),
        close.repeat(count)
    )
}

fn join(count: usize, separator: &str, item: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for n in 0..count {
        if n > 0 {
            text.push_str(separator);
        }
        let _ = write!(text, "{}", item(n));
    }
    text
}
