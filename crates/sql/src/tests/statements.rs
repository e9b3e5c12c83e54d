//! Statements of every kind.

use super::listing;
use crate::testing::World;
use crate::{CopyDirection, Effect};

#[test]
fn explain() {
    shown!(listing(
        &World::limited(),
        &[
            "explain select ssn from patients",
            "explain (costs, format json) select ssn from patients",
            "explain analyze select ssn from patients",
            "explain (analyze off, verbose) select ssn from patients",
            "explain (buffers, analyze) select ssn from patients where name = 'x'",
            "explain (analyze, verbose, timing off) select * from visits",
            "explain verbose select * from visits",
            "explain select * from v_patients",
            "explain (analyze) execute s(1)",
            "explain execute s(1)",
            "explain delete from visits",
            "explain explain select 1",
            "explain (select ssn from patients) union (select 'x')",
            "explain ((table visits) union (table visits))",
        ]
    ));
}

#[test]
fn settings() {
    shown!(listing(
        &World::limited(),
        &[
            "show search_path",
            "show phigate.grant",
            "show phigate.masking",
            "show phigate.columns",
            "show phigate.policy",
            "show phigate.budget",
            "show phigate.k_integer",
            "show phigate.secret",
            "show transaction isolation level",
            "show data_directory",
            "set statement_timeout = 5000",
            "set local timezone to 'UTC'",
            "set time zone 'Europe/Zurich'",
            "set time zone local",
            "set datestyle = iso, mdy",
            "set standard_conforming_strings = off",
            "set client_encoding = 'SJIS'",
            "set names 'UTF8'",
            "set client_min_messages = debug5",
            "set phigate.k_integer = 'x'",
            "set role postgres",
            "set session authorization postgres",
            "set row_security = off",
            "reset all",
            "reset statement_timeout",
            "reset role",
            "set search_path = archive, public",
            "set search_path = '$user', public",
            "set search_path = public, pg_catalog",
            "set search_path = pg_temp, public",
            "set search_path = nowhere",
            "set search_path = ''",
            "set search_path to default",
            "begin; set search_path = archive; select * from patients",
            "select set_config('jit', 'off', false), current_setting('jit')",
            "select set_config('search_path', 'archive', false)",
            "select set_config('standard_conforming_strings', 'off', false)",
            "select set_config('phigate.k_integer', 'x', false)",
            "select current_setting('phigate.k_integer')",
            "discard all",
            "unlisten *",
        ]
    ));
}

#[test]
fn transactions_cursors_and_prepared_statements() {
    shown!(listing(
        &World::limited(),
        &[
            "begin isolation level serializable, read only",
            "start transaction; commit and chain; rollback",
            "savepoint \"a b\"; release a; rollback to savepoint x",
            "set transaction isolation level repeatable read",
            "set session characteristics as transaction read only",
            "prepare transaction 'x'",
            "declare c scroll cursor with hold for select ssn from patients",
            "fetch forward 5 from c",
            "fetch all in c",
            "fetch c",
            "move backward 2 in c",
            "close c; close all",
            "prepare s(int, mood) as select ssn from patients where id = $1",
            "prepare s as delete from patients",
            "execute s(1, 'x')",
            "execute s((select ssn from patients))",
            "deallocate s; deallocate all",
        ]
    ));
}

#[test]
fn copy() {
    shown!(listing(
        &World::limited(),
        &[
            "copy patients to stdout",
            "copy patients (id, ssn) to stdout with (format csv, header, delimiter ';', null '''')",
            "copy (select ssn from patients) to stdout csv header",
            "copy visits to stdout binary",
            "copy patients (nickname) to stdout",
            "copy patients from stdin",
            "copy patients to '/tmp/x'",
            "copy patients to program 'cat'",
            "copy secrets to stdout",
            "copy v_patients to stdout",
            "copy patients to stdout with (format csv, force_quote *)",
            "copy visits to stdout csv header force quote *",
            "copy visits to stdout (format csv, force_quote (id, *))",
            "copy visits from stdin csv force quote *",
        ]
    ));
}

#[test]
fn everything_else_is_refused_by_name() {
    shown!(listing(
        &World::limited(),
        &[
            "insert into visits values (1)",
            "update patients set name = ssn returning name",
            "delete from visits",
            "truncate visits",
            "create table t as select * from patients",
            "select * into t from patients",
            "with d as (delete from visits returning *) select * from d",
            "create view v as select ssn from patients",
            "alter table visits add column x int",
            "drop table visits",
            "grant select on patients to public",
            "do $$ begin end $$",
            "call f()",
            "listen x",
            "notify x, 'y'",
            "lock table visits",
            "vacuum visits",
            "analyze visits",
            "select * from visits for update",
            "select * from visits for share",
        ]
    ));
}

#[test]
fn row_locks_need_write() {
    let world = World {
        write: true,
        ..World::limited()
    };
    shown!(world.show("select id from visits v for update of v skip locked"));
}

#[test]
fn effects_are_told() {
    let world = World::limited();
    let effect = |text: &str| world.analyse(text).unwrap().permits[0].effect().clone();
    assert_eq!(effect("begin"), Effect::Begin);
    assert_eq!(effect("end"), Effect::Commit { chain: false });
    assert_eq!(effect("abort"), Effect::Rollback { chain: false });
    assert_eq!(
        effect("set local search_path = archive, public"),
        Effect::SetSearchPath {
            path: Some(vec!["archive".to_owned(), "public".to_owned()]),
            local: true
        }
    );
    assert_eq!(
        effect("reset search_path"),
        Effect::SetSearchPath {
            path: None,
            local: false
        }
    );
    assert_eq!(effect("discard all"), Effect::DiscardAll);
    assert_eq!(effect("deallocate all"), Effect::Deallocate(None));
}

#[test]
fn permits_say_what_they_are() {
    let world = World::limited();
    let permit = |text: &str| world.analyse(text).unwrap().permits.remove(0);
    assert!(permit("select ssn from patients").masked());
    assert!(!permit("select ward from visits").masked());
    assert!(
        permit("fetch 1 from c").masked(),
        "the cursor may be over anything"
    );
    assert_eq!(
        permit("copy visits to stdout").copy(),
        Some(CopyDirection::Out)
    );
}

#[test]
fn skeletons_hold_no_literal_and_no_chosen_name() {
    let world = World::limited();
    let skeleton = |text: &str| {
        world.analyse(text).unwrap().permits[0]
            .skeleton()
            .to_owned()
    };
    let one = skeleton(
        "with smith as (select ssn as secret from patients jones where mrn = 'M123' and id in (1, 2)) select secret as \"900-11\" from smith limit 5",
    );
    shown!(one);
    for leak in ["smith", "jones", "secret", "M123", "900"] {
        assert!(!one.contains(leak), "{leak}");
    }
    assert_eq!(
        skeleton("select id from visits where id in (1, 2, 3) and ward = 'x'"),
        skeleton("SELECT id FROM public.visits WHERE id IN (9) AND ward = E'\\n'"),
    );
    let print = |text: &str| world.analyse(text).unwrap().permits[0].fingerprint();
    assert_eq!(print("select 1"), print("select 2"));
    assert_ne!(
        print("select id from visits"),
        print("select ward from visits")
    );
    assert_eq!(
        skeleton("declare \"Mr Smith\" cursor for select 1"),
        skeleton("declare c cursor for select 2")
    );
    assert_eq!(
        skeleton("set application_name = 'Smith'"),
        "SET application_name TO ?"
    );
}
