//! Runs the commands that the documents tell a reader to run.
//!
//! Every block of the language `sh` is run from the workspace's root, unless a comment before it says why not:
//!
//! - `<!-- not run: REASON -->`: it is not run.
//! - `<!-- run by the step STEP -->`: another step of CI runs it.
//! - `<!-- run in the background -->`: it is started, and ended at the end of the page.
//! - `<!-- run: ends with CODE -->`: it must end with this exit code.
//! - `<!-- commands not run: REASON -->`: none of the page's blocks is run.
//!
//! A block of the language `text` that follows shows parts of the output: each of its lines must be there, in any order. `…`
//! stands for anything within a line.

use std::fs;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fundhook_local_stack::Workspace;

use super::Outcome;
use super::command::program;

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

/// Processes that run until the end of a page.
#[derive(Default)]
struct Background(Vec<Child>);

impl Drop for Background {
    fn drop(&mut self) {
        for child in &mut self.0 {
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
                background.0.push(command.spawn().map_err(|error| failed(error.to_string()))?);
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
                if let Some(missing) = block.shows.iter().find(|shown| !is_shown(&printed, shown)) {
                    return Err(failed(format!("its output does not have {missing:?}\n{printed}")).into());
                }
            }
        }
    }
    Ok(())
}

fn shell(workspace: &Workspace, script: &str, tools: &[PathBuf]) -> Command {
    let mut command = program(workspace, "bash");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = tools.iter().cloned().chain(std::env::split_paths(&path));
    command.args(["-euo", "pipefail", "-c", script]).env("SAM_CLI_TELEMETRY", "0");
    // A path with a colon is not a folder of this workspace.
    command.env("PATH", std::env::join_paths(folders).unwrap_or(path));
    command
}

/// Whether a line of `printed` has the parts of `shown` between its dots, in order.
fn is_shown(printed: &str, shown: &str) -> bool {
    printed.lines().any(|line| {
        let mut rest = line;
        shown.split('…').all(|part| match rest.find(part.trim()) {
            Some(at) => {
                rest = &rest[at + part.trim().len()..];
                true
            }
            None => false,
        })
    })
}

/// The blocks of a page.
fn blocks(page: &str) -> Result<Vec<Block>, String> {
    let whole_page = page.lines().find_map(|line| comment(line)?.strip_prefix("commands not run: ").map(str::to_owned));
    let mut blocks: Vec<Block> = Vec::new();
    let mut marked = None;
    let mut lines = page.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        if let Some(marker) = comment(line) {
            marked = how(marker).or(marked);
        } else if let Some(language) = line.trim_start().strip_prefix("```") {
            let indentation = line.len() - line.trim_start().len();
            let content: Vec<&str> = lines
                .by_ref()
                .take_while(|(_, line)| line.trim() != "```")
                .map(|(_, line)| line.get(indentation..).unwrap_or_default())
                .collect();
            match language {
                "sh" => {
                    let how = match &whole_page {
                        Some(reason) => How::NotHere(reason.clone()),
                        None => marked.take().unwrap_or(How::EndsWith(0)),
                    };
                    blocks.push(Block { line: index + 1, how, script: content.join("\n"), shows: Vec::new() });
                }
                "text" => {
                    if let Some(block) = blocks.last_mut().filter(|block| block.shows.is_empty()) {
                        block.shows =
                            content.iter().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
                    }
                }
                _ => {}
            }
            marked = None;
        } else if !line.trim().is_empty() && marked.is_some() {
            return Err(format!("line {}: a comment about commands must be right before its block", index + 1));
        }
    }
    Ok(blocks)
}

fn comment(line: &str) -> Option<&str> {
    line.trim().strip_prefix("<!-- ")?.strip_suffix(" -->")
}

fn how(marker: &str) -> Option<How> {
    match marker {
        "run in the background" => Some(How::Background),
        _ if marker.starts_with("run: ends with ") => {
            marker.strip_prefix("run: ends with ")?.parse().ok().map(How::EndsWith)
        }
        _ => {
            let elsewhere = marker.strip_prefix("not run: ").or_else(|| marker.strip_prefix("run by the step"));
            elsewhere.map(|reason| How::NotHere(reason.to_owned()))
        }
    }
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
    fn a_comment_that_is_not_right_before_a_block_is_an_error() {
        let page = "<!-- not run: a reason -->\n\nSome text.\n\n```sh\nls\n```\n";
        assert_eq!(blocks(page), Err("line 3: a comment about commands must be right before its block".to_owned()));
    }

    #[test]
    fn dots_stand_for_anything_within_a_line() {
        let printed = "one two three\nfour\n";
        for (shown, expected) in [("one … three", true), ("four", true), ("three … one", false), ("one … four", false)]
        {
            assert_eq!(is_shown(printed, shown), expected, "{shown}");
        }
    }
}
