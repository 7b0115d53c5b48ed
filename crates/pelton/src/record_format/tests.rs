use proptest::prelude::*;

use super::*;

fn record<'a>(key: Option<&'a [u8]>, value: Option<&'a [u8]>) -> FormattedRecord<'a> {
    FormattedRecord {
        topic: "t",
        partition: 3,
        offset: 12,
        timestamp: 1_000,
        key: key.map(Text::raw),
        value: value.map(Text::raw),
        headers: &[],
    }
}

fn print(format: &str, record: &FormattedRecord<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    format.parse::<RecordFormat>().unwrap().write(&mut out, record);
    out
}

#[test]
fn every_token_prints_its_part() {
    let headers = [("a".to_owned(), Some(b"1".to_vec())), ("b".to_owned(), None)];
    let record = FormattedRecord { headers: &headers, ..record(Some(b"key"), Some(b"value")) };
    let out = print(r"%t %p %o %k %K %s %S %T %h %% \\ \x41\t\n", &record);
    assert_eq!(String::from_utf8(out).unwrap(), "t 3 12 key 3 value 5 1000 a=1,b=NULL % \\ A\t\n");
    assert_eq!(print("%R", &record), [0, 0, 0, 5]);
}

#[test]
fn what_is_not_there_has_the_length_minus_one() {
    assert_eq!(print("%k|%K|%s|%S", &record(None, None)), b"|-1||-1");
    assert_eq!(print("%R", &record(None, None)), [0xff; 4]);
    let mut out = Vec::new();
    RecordFormat::plain(Some(b":"), b"\n").null_as(b"NULL").write(&mut out, &record(None, None));
    assert_eq!(out, b"NULL:NULL\n");
}

#[test]
fn a_wrong_format_says_where() {
    let wrong = |text: &str| text.parse::<RecordFormat>().unwrap_err();
    assert_eq!(wrong("%x"), FormatError::Token('x'));
    assert_eq!(wrong(r"\q"), FormatError::Escape('q'));
    assert_eq!(wrong(r"\x4"), FormatError::Hex);
    assert_eq!(wrong("%"), FormatError::End);
    assert_eq!(wrong("\\"), FormatError::End);
}

proptest! {
    /// A text whose percent signs and backslashes are doubled prints itself.
    #[test]
    fn literals_print_themselves(text in any::<String>()) {
        let format = text.replace('\\', "\\\\").replace('%', "%%");
        prop_assert_eq!(print(&format, &record(None, None)), text.clone().into_bytes());
        prop_assert_eq!(unescape(&text.replace('\\', "\\\\")).unwrap(), text.into_bytes());
    }

    /// Anything parses or is refused; what parses prints without a panic.
    #[test]
    fn no_text_panics(text in any::<String>(), key in any::<Option<Vec<u8>>>()) {
        if let Ok(format) = text.parse::<RecordFormat>() {
            let mut out = Vec::new();
            format.write(&mut out, &record(key.as_deref(), None));
        }
    }

    /// The pieces stand in the order of their tokens.
    #[test]
    fn tokens_keep_their_order(tokens in proptest::collection::vec(0_usize..5, 0..20)) {
        let parts = [("%t", "t"), ("%p", "3"), ("%o", "12"), ("%T", "1000"), ("-", "-")];
        let format: String = tokens.iter().map(|token| parts[*token].0).collect();
        let wanted: String = tokens.iter().map(|token| parts[*token].1).collect();
        prop_assert_eq!(print(&format, &record(None, None)), wanted.into_bytes());
    }
}
