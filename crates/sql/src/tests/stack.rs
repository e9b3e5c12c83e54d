//! Every statement within the budgets is answered or refused on the stack that callers give.

use crate::ANALYSIS_STACK_BYTES;
use crate::testing::World;

fn on_analysis_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(ANALYSIS_STACK_BYTES)
        .spawn(test)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn the_longest_chains_and_deepest_nests_fit() {
    on_analysis_stack(|| {
        let world = World::limited();
        let chain =
            |start: &str, link: &str, count: usize| format!("{start}{}", link.repeat(count));
        let mut admitted = 0;
        for count in [100, 900, 4_900, 20_000] {
            for text in [
                chain("select 1", " + 1", count),
                chain("select true", " and true", count),
                chain("select 1", "::int4", count),
                chain("select 'a'", " || 'a'", count),
                chain("select 1", " union all select 1", count / 5),
                chain("select 1 from visits v0", " cross join wards", count / 5),
                format!("select {}true", "not ".repeat(count)),
                format!("select {}1", "- ".repeat(count)),
                format!("select {}1{}", "(".repeat(count), ")".repeat(count)),
                format!("select {}1{}", "(select ".repeat(count), ")".repeat(count)),
                format!("select {}1{}", "abs(".repeat(count), ")".repeat(count)),
                format!("select 1{}", " is null".repeat(count)),
                format!(
                    "select {}null{}",
                    "case when true then ".repeat(count),
                    " end".repeat(count)
                ),
            ] {
                admitted += usize::from(world.analyse(&text).is_ok());
            }
        }
        assert!(
            admitted > 13,
            "only {admitted} were admitted: the budgets refuse everything"
        );
    });
}

#[test]
fn long_lists_are_answered() {
    on_analysis_stack(|| {
        let world = World::limited();
        let list = vec!["1"; 100_000].join(",");
        world.admit(&format!("select id from visits where id in ({list})"));
    });
}
