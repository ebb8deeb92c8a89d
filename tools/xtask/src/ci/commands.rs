//! Runs the commands that the documents tell a reader to run.
//!
//! Every block of the language `sh` is run from the workspace's root, unless a comment right before it says otherwise:
//!
//! - `<!-- not run: REASON -->`: it is not run.
//! - `<!-- run by the step STEP -->`, or `by the steps STEP and STEP`: other steps of CI run it.
//! - `<!-- run in the background -->`: it is started, must still run at the end of the page, and is ended there.
//! - `<!-- run: ends with CODE -->`: it is one command, which must end with this exit code.
//! - `<!-- commands not run: REASON -->`, before the first block: none of the page's blocks is run.
//!
//! Any other comment right before a block is an error, so that a misspelled one runs nothing. A block of the language `text`
//! right after a block shows parts of the output: each of its lines must be in a line of its own there, in any order. `…`
//! stands for anything within a line. The commands get no AWS credentials.

use std::fs;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use clap::ValueEnum as _;
use fundhook_local_stack::Workspace;

use super::command::program;
use super::{CiStep, Outcome};

/// How long a command in the background may take before the next one needs it.
const BACKGROUND_STARTS_WITHIN: Duration = Duration::from_secs(10);

/// How a block is run.
#[derive(Clone, Debug, PartialEq, Eq)]
enum How {
    /// It must end with this exit code.
    EndsWith(i32),
    Background,
    /// For this reason, or in that step.
    NotHere(String),
}

/// A block of commands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Block {
    /// Counted from 1.
    line: usize,
    how: How,
    script: String,
    /// Lines that its output must contain.
    shows: Vec<String>,
}

/// Processes that run until the end of a page, each with its place there.
#[derive(Default)]
struct Background(Vec<(String, Child)>);

impl Background {
    /// Ends the processes. Fails if one of them had ended by itself.
    fn end(mut self) -> Outcome {
        for (place, child) in &mut self.0 {
            if let Some(status) = child.try_wait()? {
                return Err(format!("{place}: the command in the background ended with {status}").into());
            }
        }
        Ok(())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        for (_, child) in &mut self.0 {
            // The group, since the shell has children of its own.
            let group = format!("-{}", child.id());
            Command::new("kill").args(["-s", "INT", "--", &group]).stderr(Stdio::null()).status().ok();
            child.wait().ok();
        }
    }
}

/// Runs the commands of all documents. `tools` are folders with the programs that they use.
pub(super) fn run(workspace: &Workspace, tools: &[PathBuf]) -> Outcome {
    for page in pages(workspace.root())? {
        let text = fs::read_to_string(workspace.root().join(&page))?;
        let blocks = blocks(&text).map_err(|error| format!("{}: {error}", page.display()))?;
        let ran = of_page(workspace, &page, &blocks, tools);
        if ran.is_err() {
            // Otherwise the next run finds a stack.
            shell(workspace, "cargo fundhook down", tools).stdout(Stdio::null()).stderr(Stdio::null()).status().ok();
        }
        ran?;
    }
    Ok(())
}

/// The documents for users: the book, and the README files.
fn pages(root: &Path) -> Outcome<Vec<PathBuf>> {
    let mut pages = vec!["README.md".into(), "events/README.md".into(), "examples/subscriber/README.md".into()];
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    Ok(pages)
}

fn of_page(workspace: &Workspace, page: &Path, blocks: &[Block], tools: &[PathBuf]) -> Outcome {
    let mut background = Background::default();
    for block in blocks {
        let place = format!("{}:{}", page.display(), block.line);
        let failed = |why: String| format!("{place}: {why}\n{}", block.script);
        match &block.how {
            How::NotHere(_) => {}
            How::Background => {
                let mut command = shell(workspace, &block.script, tools);
                command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
                let child = command.spawn().map_err(|error| failed(error.to_string()))?;
                background.0.push((place, child));
                std::thread::sleep(BACKGROUND_STARTS_WITHIN);
            }
            How::EndsWith(expected) => {
                println!("{place}: {}", block.script.lines().next().unwrap_or_default());
                std::io::stdout().flush()?;
                let output = shell(workspace, &block.script, tools).stdin(Stdio::null()).output()?;
                let printed =
                    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
                if output.status.code() != Some(*expected) {
                    return Err(failed(format!("it ended with {}\n{printed}", output.status)).into());
                }
                if let Some(missing) = not_shown(&printed, &block.shows) {
                    return Err(failed(format!("its output does not have {missing:?}\n{printed}")).into());
                }
            }
        }
    }
    background.end()
}

fn shell(workspace: &Workspace, script: &str, tools: &[PathBuf]) -> Command {
    let mut command = program(workspace, "bash");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = tools.iter().cloned().chain(std::env::split_paths(&path));
    command.args(["-euo", "pipefail", "-c", script]).env("SAM_CLI_TELEMETRY", "0");
    // A path with a colon is not a folder of this workspace.
    command.env("PATH", std::env::join_paths(folders).unwrap_or(path));
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("AWS_") {
            command.env_remove(&variable);
        }
    }
    command
}

/// The first of `shown` that has no line of its own in `printed`.
fn not_shown<'a>(printed: &str, shown: &'a [String]) -> Option<&'a String> {
    let mut lines: Vec<&str> = printed.lines().collect();
    shown.iter().find(|shown| match lines.iter().position(|line| has_parts(line, shown)) {
        Some(at) => {
            lines.remove(at);
            false
        }
        None => true,
    })
}

/// Whether the line has the parts of `shown` between its dots, in order.
fn has_parts(line: &str, shown: &str) -> bool {
    let mut rest = line;
    shown.split('…').all(|part| match rest.find(part.trim()) {
        Some(at) => {
            rest = &rest[at + part.trim().len()..];
            true
        }
        None => false,
    })
}

/// The blocks of a page.
fn blocks(page: &str) -> Result<Vec<Block>, String> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut whole_page = None;
    // The comment before a block, and whether a block was right before.
    let (mut before, mut follows_block) = (None, false);
    let mut lines = page.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let failed = |why: &str| Err(format!("line {}: {why}", index + 1));
        if line.trim().is_empty() {
            continue;
        }
        let Some(language) = line.trim_start().strip_prefix("```") else {
            if before.as_deref().is_some_and(|comment: &str| how(comment).is_ok()) {
                return failed("the comment before it is about commands, so a block must follow");
            }
            before = comment(line).map(str::to_owned);
            if let Some(reason) = before.as_deref().and_then(|comment| comment.strip_prefix("commands not run: ")) {
                if !blocks.is_empty() {
                    return failed("a comment about all blocks must be before the first one");
                }
                (whole_page, before) = (Some(reason.to_owned()), None);
            }
            follows_block = false;
            continue;
        };
        let indentation = line.len() - line.trim_start().len();
        let content: Vec<&str> = lines
            .by_ref()
            .take_while(|(_, line)| line.trim() != "```")
            .map(|(_, line)| line.get(indentation..).unwrap_or_default())
            .collect();
        let marker = before.take();
        match language.trim_end() {
            "sh" => {
                let how = match (&whole_page, marker) {
                    (Some(reason), None) => How::NotHere(reason.clone()),
                    (Some(_), Some(_)) => return failed("the page says that no block is run"),
                    (None, None) => How::EndsWith(0),
                    (None, Some(marker)) => how(&marker).map_err(|why| format!("line {}: {why}", index + 1))?,
                };
                let commands = content.iter().filter(|line| !line.trim_end().ends_with('\\')).count();
                if matches!(how, How::EndsWith(code) if code != 0) && commands != 1 {
                    return failed("a block that must end with an exit code has one command");
                }
                blocks.push(Block { line: index + 1, how, script: content.join("\n"), shows: Vec::new() });
                follows_block = true;
            }
            "bash" | "shell" | "console" => return failed("a block of commands has the language sh"),
            language => {
                if marker.as_deref().is_some_and(|marker| how(marker).is_ok()) {
                    return failed("the comment before it is about commands, and this is not a block of commands");
                }
                if let Some(block) = blocks.last_mut().filter(|_| follows_block && language == "text") {
                    let lines = content.iter().map(|line| line.trim().to_owned());
                    block.shows = lines.filter(|line| !line.is_empty()).collect();
                }
                follows_block = false;
            }
        }
    }
    Ok(blocks)
}

fn comment(line: &str) -> Option<&str> {
    line.trim().strip_prefix("<!-- ")?.strip_suffix(" -->")
}

/// How the block after a comment is run.
fn how(marker: &str) -> Result<How, String> {
    if marker == "run in the background" {
        return Ok(How::Background);
    }
    if let Some(code) = marker.strip_prefix("run: ends with ") {
        return code.parse().map(How::EndsWith).map_err(|_| format!("{code:?} is not an exit code"));
    }
    if let Some(reason) = marker.strip_prefix("not run: ").filter(|reason| !reason.trim().is_empty()) {
        return Ok(How::NotHere(reason.to_owned()));
    }
    let steps = marker.strip_prefix("run by the step ").or_else(|| marker.strip_prefix("run by the steps "));
    let steps = steps.ok_or_else(|| format!("the comment {marker:?} says nothing about commands that is known"))?;
    for step in steps.split(" and ") {
        CiStep::from_str(step, false).map_err(|_| format!("CI has no step {step:?}"))?;
    }
    Ok(How::NotHere(marker.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# A page

```sh
cargo fundhook up
```

```text
is running…Stop it
```

<!-- not run: needs an AWS account -->

```sh
sam deploy
```

<!-- run in the background -->

```sh
cargo fundhook listen
```

- In a list:

    ```sh
    one
      two
    ```

```json
{}
```

<!-- run: ends with 1 -->

```sh
false
```
";

    #[test]
    fn each_block_is_run_as_its_comment_says() {
        let blocks = blocks(PAGE).expect("valid");
        let read: Vec<(usize, &How, &str)> =
            blocks.iter().map(|block| (block.line, &block.how, block.script.as_str())).collect();
        let expected = [
            (3, &How::EndsWith(0), "cargo fundhook up"),
            (13, &How::NotHere("needs an AWS account".to_owned()), "sam deploy"),
            (19, &How::Background, "cargo fundhook listen"),
            (25, &How::EndsWith(0), "one\n  two"),
            (36, &How::EndsWith(1), "false"),
        ];
        assert_eq!(read, expected);
        assert_eq!(blocks[0].shows, ["is running…Stop it"]);
    }

    #[test]
    fn a_page_can_say_why_none_of_its_commands_is_run() {
        let page = "<!-- commands not run: they need an AWS account -->\n\n```sh\naws s3 ls\n```\n";
        let blocks = blocks(page).expect("valid");
        assert_eq!(blocks[0].how, How::NotHere("they need an AWS account".to_owned()));
    }

    #[test]
    fn what_is_not_known_is_an_error_and_runs_nothing() {
        for (page, why) in [
            ("<!-- not run: a reason -->\n\nSome text.\n\n```sh\nls\n```\n", "so a block must follow"),
            ("<!-- Not run: a reason -->\n\n```sh\nls\n```\n", "says nothing about commands that is known"),
            ("<!-- not run:a reason -->\n```sh\nls\n```\n", "says nothing about commands that is known"),
            ("<!-- run in background -->\n```sh\nls\n```\n", "says nothing about commands that is known"),
            ("<!-- run by the step nonsense -->\n```sh\nls\n```\n", "no step \"nonsense\""),
            ("<!-- run: ends with x -->\n```sh\nls\n```\n", "not an exit code"),
            ("<!-- run: ends with 3 -->\n```sh\none\ntwo\n```\n", "has one command"),
            ("<!-- not run: a reason -->\n```json\n{}\n```\n", "not a block of commands"),
            ("```bash\nls\n```\n", "has the language sh"),
            ("```sh\nls\n```\n<!-- commands not run: a reason -->\n", "before the first one"),
            ("<!-- commands not run: a reason -->\n<!-- not run: b -->\n```sh\nls\n```\n", "no block is run"),
        ] {
            let error = blocks(page).expect_err(page);
            assert!(error.contains(why), "{page}: {error}");
        }
        let by_steps = blocks("<!-- run by the steps demo and tests -->\n```sh\nls\n```\n").expect("valid");
        assert!(matches!(&by_steps[0].how, How::NotHere(steps) if steps.contains("demo")));
    }

    #[test]
    fn each_line_that_is_shown_has_a_line_of_its_own() {
        let missing = |shown: &[&str]| {
            let shown: Vec<String> = shown.iter().map(|line| (*line).to_owned()).collect();
            not_shown("one two three\nfour\nfour\n", &shown).cloned()
        };
        assert_eq!(missing(&["four", "one … three", "four"]), None);
        assert_eq!(missing(&["four", "four", "four"]).as_deref(), Some("four"));
        for absent in ["three … one", "one … four"] {
            assert_eq!(missing(&[absent]).as_deref(), Some(absent));
        }
    }
}
