//! Pages of lists: an opaque token is the key of the first record of the next page.

use wire::Fault;

/// One page and the token of the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The page.
    pub items: Vec<T>,
    /// Where the next one starts; none on the last.
    pub next: Option<String>,
}

/// Cuts one page out of `items`, which must be in a stable order.
///
/// `key` names an item; `token` is the key of the first item wanted, in hex so that nobody takes
/// it for something to build. A token that is not hex is refused with `invalid`. An item that
/// has gone since starts the page at its successor when keys ascend, else at the end.
pub fn page<T>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
    token: Option<&str>,
    size: usize,
    invalid: impl FnOnce() -> Fault,
) -> Result<Page<T>, Fault> {
    let start = match token {
        None => None,
        Some(token) => Some(from_hex(token).ok_or_else(invalid)?),
    };
    let mut rest =
        items.into_iter().skip_while(|item| start.as_ref().is_some_and(|s| key(item) < *s));
    let items: Vec<T> = rest.by_ref().take(size.max(1)).collect();
    let next = rest.next().map(|item| to_hex(&key(&item)));
    Ok(Page { items, next })
}

fn to_hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<String> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(pair).collect();
    String::from_utf8(bytes.filter(|_| text.len().is_multiple_of(2))?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(size: usize) -> Vec<Vec<&'static str>> {
        let (mut all, mut token) = (Vec::new(), None::<String>);
        loop {
            let cut = page(["a", "b", "c"], |s| (*s).to_owned(), token.as_deref(), size, fault);
            let cut = cut.unwrap();
            all.push(cut.items);
            token = cut.next;
            if token.is_none() {
                return all;
            }
        }
    }

    fn fault() -> Fault {
        Fault::validation("token")
    }

    #[test]
    fn pages_join_to_the_whole() {
        assert_eq!(pages(2), [vec!["a", "b"], vec!["c"]]);
        assert_eq!(pages(3), [vec!["a", "b", "c"]]);
        assert_eq!(pages(1), [vec!["a"], vec!["b"], vec!["c"]]);
    }

    #[test]
    fn a_token_that_nobody_gave_is_refused() {
        let check = |token: &str| page(["a"], |s| (*s).to_owned(), Some(token), 1, fault).is_err();
        assert!(check("zz"));
        assert!(check("abc"));
        assert!(!check("61"));
    }
}
