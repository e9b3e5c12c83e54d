//! Type names, by the name that `pg_type` has for them.

use sqlparser::ast::{
    ArrayElemTypeDef, CharacterLength, DataType, ExactNumberInfo, GeometricTypeKind,
    IntervalFields, TimezoneInfo,
};

use super::{object_name, unsupported};
use crate::ir::TypeName;
use crate::refusal::{Place, Reason, Refusal, Result};

/// A type in a cast.
pub(crate) fn type_name(ty: DataType) -> Result<TypeName> {
    use DataType as T;
    let plain = |name: &str| Ok(TypeName::built_in(name));
    match ty {
        T::Custom(name, modifiers) => custom(object_name(name)?, &modifiers),
        T::Array(element) => array(element),
        T::Character(length) | T::Char(length) => characters("bpchar", length, Some(1)),
        T::CharacterVarying(length) | T::CharVarying(length) | T::Varchar(length) => {
            characters("varchar", length, None)
        }
        T::Bit(length) => Ok(modified("bit", Some(length.unwrap_or(1)))),
        T::BitVarying(length) | T::VarBit(length) => Ok(modified("varbit", length)),
        T::Numeric(info) | T::Decimal(info) | T::Dec(info) => Ok(numeric(&info)),
        T::Float(info) => float(&info),
        T::Int2(None) | T::SmallInt(None) => plain("int2"),
        T::Int(None) | T::Integer(None) | T::Int4(None) => plain("int4"),
        T::Int8(None) | T::BigInt(None) => plain("int8"),
        T::Real | T::Float4 => plain("float4"),
        T::Float8 | T::DoublePrecision => plain("float8"),
        T::Bool | T::Boolean => plain("bool"),
        T::Date => plain("date"),
        T::Time(precision, zone) => Ok(modified(zoned(zone, "time", "timetz"), precision)),
        T::Timestamp(precision, zone) => {
            Ok(modified(zoned(zone, "timestamp", "timestamptz"), precision))
        }
        T::Interval { fields, precision } => {
            let mut ty = modified("interval", precision);
            ty.fields = fields.map(interval_fields);
            Ok(ty)
        }
        T::Uuid => plain("uuid"),
        T::JSON => plain("json"),
        T::JSONB => plain("jsonb"),
        T::Regclass => plain("regclass"),
        T::Text => plain("text"),
        T::Bytea => plain("bytea"),
        T::TsVector => plain("tsvector"),
        T::TsQuery => plain("tsquery"),
        T::GeometricType(kind) => plain(geometric(kind)),
        T::Int2(Some(_))
        | T::SmallInt(Some(_))
        | T::Int(Some(_))
        | T::Integer(Some(_))
        | T::Int4(Some(_))
        | T::Int8(Some(_))
        | T::BigInt(Some(_)) => Err(unsupported("a width on an integer type", Place::default())),
        T::Table(_)
        | T::NamedTable { .. }
        | T::Nvarchar(_)
        | T::CharacterLargeObject(_)
        | T::CharLargeObject(_)
        | T::Clob(_)
        | T::Binary(_)
        | T::Varbinary(_)
        | T::Blob(_)
        | T::TinyBlob
        | T::MediumBlob
        | T::LongBlob
        | T::Bytes(_)
        | T::DecimalUnsigned(_)
        | T::BigNumeric(_)
        | T::BigDecimal(_)
        | T::DecUnsigned(_)
        | T::FloatUnsigned(_)
        | T::TinyInt(_)
        | T::TinyIntUnsigned(_)
        | T::UTinyInt
        | T::Int2Unsigned(_)
        | T::SmallIntUnsigned(_)
        | T::USmallInt
        | T::MediumInt(_)
        | T::MediumIntUnsigned(_)
        | T::Int16
        | T::Int32
        | T::Int64
        | T::Int128
        | T::Int256
        | T::IntUnsigned(_)
        | T::Int4Unsigned(_)
        | T::IntegerUnsigned(_)
        | T::HugeInt
        | T::UHugeInt
        | T::UInt8
        | T::UInt16
        | T::UInt32
        | T::UInt64
        | T::UInt128
        | T::UInt256
        | T::BigIntUnsigned(_)
        | T::UBigInt
        | T::Int8Unsigned(_)
        | T::Signed
        | T::SignedInteger
        | T::Unsigned
        | T::UnsignedInteger
        | T::Float32
        | T::Float64
        | T::RealUnsigned
        | T::Double(_)
        | T::DoubleUnsigned(_)
        | T::DoublePrecisionUnsigned
        | T::Date32
        | T::Datetime(_)
        | T::Datetime64(_, _)
        | T::TimestampNtz(_)
        | T::TinyText
        | T::MediumText
        | T::LongText
        | T::String(_)
        | T::FixedString(_)
        | T::Map(_, _, _)
        | T::Tuple(_)
        | T::Nested(_)
        | T::Enum(_, _)
        | T::Set(_)
        | T::Struct(_, _)
        | T::Union(_)
        | T::Nullable(_)
        | T::LowCardinality(_)
        | T::Unspecified
        | T::Trigger
        | T::AnyType => Err(Refusal::new(
            Reason::Type,
            "this type does not exist in PostgreSQL",
        )),
    }
}

/// `INTERVAL` fields in the grammar's words, from a field and perhaps another.
pub(super) fn interval_fields(fields: IntervalFields) -> &'static str {
    match fields {
        IntervalFields::Year => "YEAR",
        IntervalFields::Month => "MONTH",
        IntervalFields::Day => "DAY",
        IntervalFields::Hour => "HOUR",
        IntervalFields::Minute => "MINUTE",
        IntervalFields::Second => "SECOND",
        IntervalFields::YearToMonth => "YEAR TO MONTH",
        IntervalFields::DayToHour => "DAY TO HOUR",
        IntervalFields::DayToMinute => "DAY TO MINUTE",
        IntervalFields::DayToSecond => "DAY TO SECOND",
        IntervalFields::HourToMinute => "HOUR TO MINUTE",
        IntervalFields::HourToSecond => "HOUR TO SECOND",
        IntervalFields::MinuteToSecond => "MINUTE TO SECOND",
    }
}

fn custom(path: Vec<crate::ir::Ident>, modifiers: &[String]) -> Result<TypeName> {
    let place = path.first().map_or(Place::default(), |first| first.place);
    let modifiers = modifiers
        .iter()
        .map(|modifier| {
            modifier
                .parse()
                .map_err(|_| unsupported("this type modifier", place))
        })
        .collect::<Result<_>>()?;
    Ok(TypeName {
        path,
        modifiers,
        fields: None,
        array: false,
    })
}

fn array(element: ArrayElemTypeDef) -> Result<TypeName> {
    let element = match element {
        // The declared length means nothing to PostgreSQL.
        ArrayElemTypeDef::SquareBracket(element, _length) => *element,
        ArrayElemTypeDef::None
        | ArrayElemTypeDef::AngleBracket(_)
        | ArrayElemTypeDef::Parenthesis(_)
        | ArrayElemTypeDef::Qualified(_, _) => {
            return Err(unsupported(
                "this way of writing an array type",
                Place::default(),
            ));
        }
    };
    let mut ty = type_name(element)?;
    ty.array = true;
    Ok(ty)
}

fn characters(
    name: &str,
    length: Option<CharacterLength>,
    otherwise: Option<u64>,
) -> Result<TypeName> {
    match length {
        None => Ok(modified(name, otherwise)),
        Some(CharacterLength::IntegerLength { length, unit: None }) => {
            Ok(modified(name, Some(length)))
        }
        Some(
            CharacterLength::IntegerLength {
                length: _,
                unit: Some(_),
            }
            | CharacterLength::Max,
        ) => Err(unsupported("this length", Place::default())),
    }
}

fn modified(name: &str, modifier: Option<u64>) -> TypeName {
    let mut ty = TypeName::built_in(name);
    ty.modifiers
        .extend(modifier.map(|modifier| modifier.min(u64::from(u32::MAX)) as i64));
    ty
}

fn numeric(info: &ExactNumberInfo) -> TypeName {
    let (precision, scale) = match *info {
        ExactNumberInfo::None => (None, None),
        ExactNumberInfo::Precision(precision) => (Some(precision), None),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (Some(precision), Some(scale)),
    };
    let mut ty = modified("numeric", precision);
    ty.modifiers.extend(scale);
    ty
}

/// gram.y `opt_float`.
fn float(info: &ExactNumberInfo) -> Result<TypeName> {
    match *info {
        ExactNumberInfo::None | ExactNumberInfo::Precision(25..=53) => {
            Ok(TypeName::built_in("float8"))
        }
        ExactNumberInfo::Precision(1..=24) => Ok(TypeName::built_in("float4")),
        ExactNumberInfo::Precision(_) | ExactNumberInfo::PrecisionAndScale(_, _) => {
            Err(unsupported("this precision of float", Place::default()))
        }
    }
}

fn zoned(zone: TimezoneInfo, without: &'static str, with: &'static str) -> &'static str {
    match zone {
        TimezoneInfo::None | TimezoneInfo::WithoutTimeZone => without,
        TimezoneInfo::WithTimeZone | TimezoneInfo::Tz => with,
    }
}

fn geometric(kind: GeometricTypeKind) -> &'static str {
    match kind {
        GeometricTypeKind::Point => "point",
        GeometricTypeKind::Line => "line",
        GeometricTypeKind::LineSegment => "lseg",
        GeometricTypeKind::GeometricBox => "box",
        GeometricTypeKind::GeometricPath => "path",
        GeometricTypeKind::Polygon => "polygon",
        GeometricTypeKind::Circle => "circle",
    }
}
