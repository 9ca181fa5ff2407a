//! Reads Markdown's fenced blocks as steps to follow; pure. The rules are in `main.rs`.

/// A `sh` block, and what it must print.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Where the block begins in the text, from 1.
    pub(crate) line: usize,
    pub(crate) action: Action,
    pub(crate) expected: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Start Tandem with these settings: `("SHARDS", "8")`.
    Start(Vec<(String, String)>),
    Run {
        script: String,
        fails: bool,
    },
}

/// A port as the text shows it, and the one really used.
pub(crate) type Ports = [(u16, u16)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    None,
    Skip,
    Fails,
}

#[derive(Debug)]
struct Block {
    line: usize,
    language: String,
    mark: Mark,
    text: String,
    /// Nothing but blank lines is between it and the block before it.
    follows: bool,
}

pub(crate) fn steps(markdown: &str) -> Result<Vec<Step>, String> {
    let mut steps: Vec<Step> = Vec::new();
    // Only the block right after one that is run says what that must print.
    let mut takes_output = false;
    for block in blocks(markdown)? {
        let output = block.follows && matches!(block.language.as_str(), "text" | "json");
        match steps.last_mut() {
            Some(step) if output && takes_output => step.expected = Some(block.text.clone()),
            _ => {}
        }
        takes_output = block.language == "sh" && block.mark != Mark::Skip;
        if takes_output {
            let action = action(&block).map_err(|fault| at(block.line, &fault))?;
            steps.push(Step { line: block.line, action, expected: None });
        }
    }
    Ok(steps)
}

fn at(line: usize, fault: &str) -> String {
    format!("line {line}: {fault}")
}

fn action(block: &Block) -> Result<Action, String> {
    let lines = || block.text.lines().map(str::trim);
    let makes = |target: &str| {
        let target = target.to_owned();
        move |line: &&str| {
            let mut words = line.split_whitespace();
            words.next() == Some("make") && words.next() == Some(&target)
        }
    };
    if let Some(run) = lines().find(makes("run")) {
        let set_up = |line: &str| {
            line.is_empty()
                || ["#", "git clone ", "cd "].iter().any(|start| line.starts_with(start))
        };
        if let Some(other) = lines().find(|line| *line != run && !set_up(line)) {
            return Err(format!("a block with `make run` can't be run with `{other}` in it"));
        }
        let words = run.split('#').next().unwrap_or_default().split_whitespace().skip(2);
        let settings = words.map(|word| word.split_once('='));
        let settings: Option<Vec<_>> =
            settings.map(|pair| pair.map(|(k, v)| (k.to_owned(), v.to_owned()))).collect();
        return settings.map(Action::Start).ok_or_else(|| format!("`{run}` isn't NAME=value"));
    }
    if let Some(other) = lines().find(|line| line.starts_with("make ") && !makes("load")(line)) {
        return Err(format!("this test can't run `{other}`: mark the block `test: skip (reason)`"));
    }
    Ok(Action::Run { script: block.text.clone(), fails: block.mark == Mark::Fails })
}

fn blocks(markdown: &str) -> Result<Vec<Block>, String> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut mark = Mark::None;
    let mut follows = false;
    let mut lines = markdown.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let line = line.trim();
        if let Some(said) = line.strip_prefix("<!-- test:") {
            mark = read_mark(said).ok_or_else(|| at(number + 1, "is no mark this test knows"))?;
        } else if line.starts_with("```") {
            let language = line.trim_start_matches('`').trim().to_owned();
            let fence = &line[..line.len() - line.trim_start_matches('`').len()];
            if ["bash", "shell", "console"].contains(&language.as_str()) {
                return Err(at(number + 1, "write `sh`, so that the block is run"));
            }
            let mut text = String::new();
            loop {
                let (_, inner) = lines.next().ok_or_else(|| at(number + 1, "never ends"))?;
                if inner.trim_end().ends_with(fence) && inner.trim().trim_matches('`').is_empty() {
                    break;
                }
                text.push_str(inner);
                text.push('\n');
            }
            blocks.push(Block { line: number + 1, language, mark, text, follows });
            (mark, follows) = (Mark::None, true);
        } else if !line.is_empty() {
            (mark, follows) = (Mark::None, false);
        }
    }
    Ok(blocks)
}

fn read_mark(said: &str) -> Option<Mark> {
    match said.strip_suffix("-->")?.trim() {
        "fails" => Some(Mark::Fails),
        other => {
            let reason = other.strip_prefix("skip")?.trim();
            let reason = reason.strip_prefix('(')?.strip_suffix(')')?;
            (!reason.trim().is_empty()).then_some(Mark::Skip)
        }
    }
}

/// The text with each shown port, where it ends a host, replaced by the one really used.
pub(crate) fn with_ports(text: &str, ports: &Ports) -> String {
    let mut rest = text;
    let mut replaced = String::new();
    while let Some((before, after)) = rest.split_once(':') {
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, tail) = after.split_at(digits);
        let used = ports.iter().find(|(shown, _)| number == shown.to_string());
        replaced.push_str(before);
        replaced.push(':');
        replaced.push_str(&used.map_or(number.to_owned(), |(_, used)| used.to_string()));
        rest = tail;
    }
    replaced + rest
}

/// The first expected line that the output doesn't have after the lines expected before it.
pub(crate) fn first_missing<'a>(expected: &'a str, output: &str) -> Option<&'a str> {
    let plain = |line: &'a str| line.trim().trim_end_matches(',');
    let wanted = expected.lines().map(plain).filter(|line| !line.is_empty());
    let mut lines = output.lines().map(|line| line.trim().trim_end_matches(','));
    wanted.into_iter().find(|want| !lines.any(|line| matches(want, line)))
}

/// Whether the line is the pattern, where `…` stands for anything.
fn matches(pattern: &str, line: &str) -> bool {
    let Some((first, others)) = pattern.split_once('…') else { return pattern == line };
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = others.split('…').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: usize, script: &str, expected: Option<&str>) -> Step {
        let action = Action::Run { script: script.into(), fails: false };
        Step { line, action, expected: expected.map(Into::into) }
    }

    #[test]
    fn a_page_becomes_steps() {
        let page = "\
# Tandem
```sh
git clone https://example.org/tandem && cd tandem
make run SHARDS=8   # eight shards
```

```text
command  http://127.0.0.1:8090
```
Words.
<!-- test: skip (it needs a broker) -->
```sh
make test-kafka
```
```text
not compared
```
```sh
echo one
```
Words between.
```text
not compared either
```
````sh
echo '```'
````
<!-- test: fails -->
```sh
false
```
```json
{}
```
```rust
fn main() {}
```
";
        let start = Action::Start(vec![("SHARDS".into(), "8".into())]);
        let fails = Action::Run { script: "false\n".into(), fails: true };
        let expected = [
            Step {
                line: 2,
                action: start,
                expected: Some("command  http://127.0.0.1:8090\n".into()),
            },
            run(18, "echo one\n", None),
            run(25, "echo '```'\n", None),
            Step { line: 29, action: fails, expected: Some("{}\n".into()) },
        ];
        assert_eq!(steps(page).unwrap(), expected);
    }

    #[test]
    fn what_would_not_be_run_is_refused() {
        for (page, fault) in [
            ("```sh\nmake test\n```", "line 1: this test can't run `make test`"),
            ("```sh\nmake run\necho\n```", "line 1: a block with `make run`"),
            ("```sh\nmake run fast\n```", "isn't NAME=value"),
            ("\n```bash\necho\n```", "line 2: write `sh`"),
            ("```sh\necho\n", "line 1: never ends"),
            ("<!-- test: skip -->\n```sh\necho\n```", "line 1: is no mark"),
            ("<!-- test: skipp (x) -->", "is no mark"),
        ] {
            let said = steps(page).unwrap_err();
            assert!(said.contains(fault), "{page}: {said}");
        }
    }

    #[test]
    fn load_is_run_and_a_mark_is_for_the_next_block_only() {
        let page = "<!-- test: skip (x) -->\nWords.\n```sh\nmake load ARGS=\"--once\"\n```";
        assert_eq!(steps(page).unwrap(), [run(3, "make load ARGS=\"--once\"\n", None)]);
    }

    #[test]
    fn shown_ports_become_the_real_ones() {
        let ports = [(8090, 40001), (8095, 40002)];
        for (shown, real) in [
            ("curl http://localhost:8090/x", "curl http://localhost:40001/x"),
            ("127.0.0.1:8095 127.0.0.1:8090", "127.0.0.1:40002 127.0.0.1:40001"),
            ("a:80901 8090 :: a:8091", "a:80901 8090 :: a:8091"),
            ("none", "none"),
        ] {
            assert_eq!(with_ports(shown, &ports), real);
        }
    }

    #[test]
    fn expected_lines_are_found_in_order() {
        let output = "{\n  \"customerId\": \"ada\",\n  \"receipt\": \"x1y2\"\n}\n";
        for (expected, missing) in [
            ("{\n  \"customerId\": \"ada\"\n}\n", None),
            ("\"receipt\": \"…\",\n", None),
            ("{\n…\n}\n", None),
            ("\"…Id\": \"a…a\"", None),
            ("\"receipt\": \"…\"\n\"customerId\": \"ada\"\n", Some("\"customerId\": \"ada\"")),
            ("\"customerId\": \"bob\"", Some("\"customerId\": \"bob\"")),
            ("…zzz", Some("…zzz")),
        ] {
            assert_eq!(first_missing(expected, output), missing, "{expected}");
        }
    }
}
