//! Rust spellings of model names.

/// Keywords that can be written raw and that a model could use.
const KEYWORDS: [&str; 19] = [
    "as", "async", "await", "const", "else", "enum", "extern", "for", "if", "in", "loop", "match",
    "move", "ref", "return", "static", "type", "use", "where",
];

/// `VpcId` to `vpc_id`, `SSLPolicies` to `ssl_policies`, `type` to `r#type`.
pub fn member(name: &str) -> String {
    let snake = snake(name);
    if KEYWORDS.contains(&snake.as_str()) { format!("r#{snake}") } else { snake }
}

/// `TagKeyList` to `TAG_KEY_LIST`.
pub fn constant(name: &str) -> String {
    snake(name).to_uppercase()
}

/// A model's shape name as a Rust type name.
pub fn structure(name: &str) -> String {
    let mut chars = name.trim_start_matches('_').chars();
    chars.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

fn snake(name: &str) -> String {
    // One word, not three.
    let chars: Vec<char> = name.replace("IPv", "Ipv").chars().collect();
    let mut out = String::new();
    for (i, &c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| chars[i]);
        let after = chars.get(i + 1);
        let starts_word = c.is_ascii_uppercase()
            && before.is_some_and(|b| {
                b.is_ascii_lowercase()
                    || b.is_ascii_digit()
                    || (b.is_ascii_uppercase()
                        && after.is_some_and(|a| a.is_ascii_lowercase())
                        && chars[i..] != ['N', 's']
                        && chars[i..] != ['D', 's'])
            });
        if starts_word || matches!(c, '-' | '.') {
            out.push('_');
        }
        if c.is_ascii_alphanumeric() || c == '_' {
            out.push(c.to_ascii_lowercase());
        }
    }
    out.trim_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let rows = [
            ("VpcId", "vpc_id"),
            ("SSLPolicies", "ssl_policies"),
            ("DNSName", "dns_name"),
            ("Ipv6CidrBlock", "ipv6_cidr_block"),
            ("EnableDns64", "enable_dns64"),
            ("Type", "r#type"),
            ("apiId", "api_id"),
            ("PrivateIPv4Address", "private_ipv4_address"),
            ("PolicyARNs", "policy_arns"),
            ("GroupIDs", "group_ids"),
        ];
        for (name, expect) in rows {
            assert_eq!(member(name), expect, "{name}");
        }
        assert_eq!(constant("TagKeyList"), "TAG_KEY_LIST");
        assert_eq!(structure("__listOf"), "ListOf");
    }
}
