//! Instants and spans.

use std::time::Duration;

use phigate_types::Timestamp;

use crate::Malformed;

/// An instant as the API carries it.
pub fn to_timestamp(at: Timestamp) -> prost_types::Timestamp {
    let micros = at.as_micros();
    prost_types::Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos: i32::try_from(micros.rem_euclid(1_000_000) * 1000).unwrap_or(0),
    }
}

/// An instant from the API; parts of a microsecond are cut off.
pub fn from_timestamp(
    field: &'static str,
    at: Option<prost_types::Timestamp>,
) -> Result<Timestamp, Malformed> {
    let at = at.ok_or_else(|| Malformed::new(field, "is missing"))?;
    let wrong = || Malformed::new(field, "is not an instant");
    if !(0..1_000_000_000).contains(&at.nanos) {
        return Err(wrong());
    }
    at.seconds
        .checked_mul(1_000_000)
        .and_then(|micros| micros.checked_add(i64::from(at.nanos / 1000)))
        .map(Timestamp::from_micros)
        .ok_or_else(wrong)
}

/// A span as the API carries it.
pub fn to_duration(span: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(span.subsec_nanos()).unwrap_or(0),
    }
}

/// A span from the API; negative and malformed ones are refused.
pub fn from_duration(
    field: &'static str,
    span: Option<prost_types::Duration>,
) -> Result<Duration, Malformed> {
    let span = span.ok_or_else(|| Malformed::new(field, "is missing"))?;
    match (u64::try_from(span.seconds), u32::try_from(span.nanos)) {
        (Ok(seconds), Ok(nanos)) if nanos < 1_000_000_000 => Ok(Duration::new(seconds, nanos)),
        _ => Err(Malformed::new(field, "is not a span of time")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_both_ways() {
        for micros in [0, 1, -1, 1_800_000_000_123_456, -62_000_000_000_000_001] {
            let at = Timestamp::from_micros(micros);
            assert_eq!(from_timestamp("at", Some(to_timestamp(at))), Ok(at));
        }
        let nanos = -1;
        let at = prost_types::Timestamp { seconds: 0, nanos };
        assert!(from_timestamp("at", Some(at)).is_err());
        let seconds = i64::MAX;
        let at = prost_types::Timestamp { seconds, nanos: 0 };
        assert!(from_timestamp("at", Some(at)).is_err());
    }

    #[test]
    fn spans_both_ways_and_no_negative_ones() {
        let span = Duration::new(90, 5);
        assert_eq!(from_duration("d", Some(to_duration(span))), Ok(span));
        for (seconds, nanos) in [(-1, 0), (0, -1), (0, 1_000_000_000)] {
            let span = prost_types::Duration { seconds, nanos };
            assert!(from_duration("d", Some(span)).is_err());
        }
    }
}
