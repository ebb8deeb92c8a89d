//! A generated part of a page, between two comments.

/// Markdown, and the name in the comments around it.
pub(super) struct MarkedPart {
    pub(super) name: &'static str,
    pub(super) markdown: String,
}

impl MarkedPart {
    /// `page` with the text between the part's comments replaced.
    pub(super) fn insert_into(&self, page: &str) -> Result<String, String> {
        let begin = format!("<!-- begin generated: {} -->", self.name);
        let end = format!("<!-- end generated: {} -->", self.name);
        let (before, rest) = page.split_once(&begin).ok_or_else(|| format!("no line `{begin}`"))?;
        let (_, after) = rest.split_once(&end).ok_or_else(|| format!("no line `{end}` after `{begin}`"))?;
        Ok(format!("{before}{begin}\n\n{}\n\n{end}{after}", self.markdown.trim_matches('\n')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_between_the_comments_is_replaced() {
        let part = MarkedPart { name: "table", markdown: "\n| new |\n".to_owned() };
        let page = "# Page\n<!-- begin generated: table -->\nold\n<!-- end generated: table -->\nText\n";
        let expected = "# Page\n<!-- begin generated: table -->\n\n| new |\n\n<!-- end generated: table -->\nText\n";
        assert_eq!(part.insert_into(page).as_deref(), Ok(expected));
        assert_eq!(part.insert_into(expected).as_deref(), Ok(expected));
    }

    #[test]
    fn a_page_without_the_comments_is_an_error() {
        let part = MarkedPart { name: "table", markdown: String::new() };
        assert!(part.insert_into("# Page\n").is_err_and(|why| why.contains("begin generated: table")));
        assert!(part.insert_into("<!-- begin generated: table -->").is_err_and(|why| why.contains("end generated")));
    }
}
