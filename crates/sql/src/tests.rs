//! What a statement becomes, and what is refused.

use crate::testing::World;

#[test]
fn try_it() {
    let world = World::limited();
    for text in [
        "select * from patients",
        "select p.name, ssn from patients p where p.ssn like '9%' order by 1",
        "select id, name from v_patients",
        "select * from v_twice",
        "select * from v_wards",
        "select * from v_secrets",
        "select * from v_function",
        "select * from m_patients",
        "select * from secrets",
        "select nickname from patients",
        "select initial from patients",
        "select count(*) from patients join visits on patients.id = visits.patient_id group by ward having count(*) > 3",
        "with a as (select * from patients) select * from a where name = E'it\\'s \\\\'",
        "select public.leak(1)",
        "select p, (p).name, row_to_json(p) from patients p",
        "select relname, reltuples from pg_class where relkind in ('r','p')",
        "select value from measurements",
        "select id from classified_view",
        "table patients",
        "select 1 end",
    ] {
        println!("{text}\n  => {}", world.show(text));
    }
}
