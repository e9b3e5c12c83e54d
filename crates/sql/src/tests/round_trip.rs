//! What is sent reads back as the same statement: written again, it is the same text. Only prefix
//! operators are left out: the parser does not read them qualified.

use phigate_types::Profile;
use proptest::prelude::*;

use crate::testing::World;

/// Under `identified` nothing classified is masked, so the text sent resolves by the same rules.
fn again(text: &str) -> Result<(), TestCaseError> {
    let world = World::new(Profile::Identified);
    let Ok(once) = world.analyse(text) else {
        return Ok(());
    };
    let once = once.sql();
    let twice = world.analyse(&once);
    let twice = twice.map(|batch| batch.sql());
    prop_assert_eq!(twice, Ok(once));
    Ok(())
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("id".to_owned()),
        Just("v.ward".to_owned()),
        Just("admitted".to_owned()),
        Just("null".to_owned()),
        Just("current_date".to_owned()),
        "-?[0-9]{1,5}",
        "'([a-z \\\\]|'')*'",
        "\\$[1-9]",
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            (
                two.clone(),
                "\\+|-|\\*|/|\\|\\||=|<>|<|>=|~|!~|and|or|like|ilike|is distinct from"
            )
                .prop_map(|((a, b), op)| format!("{a} {op} {b}")),
            inner.clone().prop_map(|a| format!("({a})")),
            inner.clone().prop_map(|a| format!("not {a}")),
            inner.clone().prop_map(|a| format!("({a})::text")),
            inner.clone().prop_map(|a| format!("upper({a})")),
            inner.clone().prop_map(|a| format!("({a}) is not null")),
            two.clone().prop_map(|(a, b)| format!("coalesce({a}, {b})")),
            two.clone().prop_map(|(a, b)| format!("({a}) in ({b}, 1)")),
            two.clone()
                .prop_map(|(a, b)| format!("({a}) between {b} and 3")),
            two.clone()
                .prop_map(|(a, b)| format!("case when {a} then {b} else 1 end")),
            two.prop_map(|(a, b)| format!("({a}) = any (array[{b}])")),
            inner.prop_map(|a| format!("(select {a} from wards limit 1)")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn expressions(one in expression(), other in expression()) {
        again(&format!("select {one} from visits v where {other}"))?;
        again(&format!("select {one} as x from visits v group by {other} order by x"))?;
    }
}

#[test]
fn queries() {
    for text in [
        "select * from visits v left join wards using (ward) where v.id > 1 order by 1 desc nulls last limit 5 offset 2",
        "with recursive n(i) as (select 1 union all select i + 1 from n) select distinct on (i) i from n",
        "select ward, count(*) filter (where id > 1) over w from visits window w as (partition by ward order by id rows between 1 preceding and current row)",
        "select a from generate_series(1, 3) with ordinality as g(a, b)",
        "select x from json_to_record('{}') as t(x int, y text[])",
        "select interval '1' year, interval '1-2' year to month, '1'::interval second(3), '1'::numeric(5, 2), 'a'::char(3), '1'::varchar(5)[]",
        "select (array[1, 2, 3])[1], (array[1, 2, 3])[1:2], (array[1, 2])[:]",
        "select count(*) over (order by id rows between 1 preceding and 1 following exclude ties), sum(id) over (order by id rows current row exclude group), sum(id) over (order by id rows unbounded preceding exclude current row) from visits",
        "select id from visits where id between symmetric 5 and 1 and ward::text collate \"C\" > 'a'",
        "values (1, 'a'), (2, e'\\\\') order by column1",
        "(select 1 union select 2) except select 3 intersect select 4",
        "select id from visits group by grouping sets ((id), ()), cube (ward, (id, ward))",
        "select id from visits where id = any ((select 1) union (select 2)) and id <> all (values (1), (2))",
        "select id from visits where id in ((select 1), 2, (select 3)) and id not in ((select 1) + 1, 2)",
        "select id from visits group by rollup ((id + 1) * 2, (id)::text, (ward, admitted)), cube ((id)::text, ward)",
        "select ((select 1) union all (select 2) limit 1), (values (1)) from visits * v, wards *",
        "select * from (visits join wards using (ward)) as j(a)",
        "select extract(epoch from admitted), admitted at time zone 'UTC', trim(ward), substring(ward from 2) from visits",
    ] {
        World::new(Profile::Identified).admit(text);
        again(text).unwrap();
    }
}
