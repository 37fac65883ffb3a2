//! Tables: those of data are written as such, those that only place things are taken apart.

use super::part::Written;

/// Most bytes of a table and of a cell, most rows, most columns. Chosen: beyond it, nobody reads
/// a table as text.
const TABLE_MAX_BYTES: usize = 16 * 1024;
const CELL_MAX_BYTES: usize = 512;
const ROWS_MAX: usize = 200;
const COLUMNS_MAX: usize = 16;

/// The table that is being read.
#[derive(Debug)]
pub(super) struct Table {
    /// Of its element.
    pub(super) depth: usize,
    /// It has cells that name others, so that it is one of data.
    pub(super) has_headers: bool,
    /// Rows of cells of blocks.
    rows: Vec<Vec<Vec<Written>>>,
    bytes: usize,
}

impl Table {
    pub(super) fn new(depth: usize) -> Self {
        Self {
            depth,
            has_headers: false,
            rows: Vec::new(),
            bytes: 0,
        }
    }

    pub(super) fn begin_row(&mut self) {
        if self.rows.last().is_none_or(|row| !row.is_empty()) {
            self.rows.push(Vec::new());
        }
    }

    pub(super) fn begin_cell(&mut self) {
        if self.rows.is_empty() {
            self.rows.push(Vec::new());
        }
        if let Some(row) = self.rows.last_mut() {
            row.push(Vec::new());
        }
    }

    pub(super) fn has_cells(&self) -> bool {
        self.rows.iter().any(|row| !row.is_empty())
    }

    /// Takes a block into the open cell.
    pub(super) fn push(&mut self, block: &mut Written) {
        self.bytes += block.bytes();
        if let Some(cell) = self.rows.last_mut().and_then(|row| row.last_mut()) {
            cell.push(std::mem::take(block));
        }
    }

    /// Whether it is too large to be one of data.
    pub(super) fn is_too_large(&self) -> bool {
        let row = self.rows.last();
        let cell = row.and_then(|row| row.last());
        let cell_bytes = cell.map_or(0, |cell| cell.iter().map(|block| block.text.len()).sum());
        self.bytes > TABLE_MAX_BYTES
            || cell_bytes > CELL_MAX_BYTES
            || self.rows.len() > ROWS_MAX
            || row.is_some_and(|row| row.len() > COLUMNS_MAX)
    }

    /// The table as one block, if it has rows and columns; else its blocks.
    pub(super) fn finish(self) -> Vec<Written> {
        let rows = || self.rows.iter().filter(|row| !row.is_empty());
        let columns = rows().map(Vec::len).max().unwrap_or(0);
        if rows().count() < 2 || columns < 2 {
            return self.take_apart();
        }
        let mut table = Written::default();
        let mut linked_cells = 0;
        let mut cells = 0;
        for (number, row) in rows().enumerate() {
            if number > 0 {
                table.text.push('\n');
            }
            for column in 0..columns {
                let cell = row.get(column).map(Vec::as_slice).unwrap_or_default();
                cells += cell.len();
                linked_cells += cell.iter().filter(|block| block.is_linked).count();
                table.links += cell.iter().map(|block| block.links).sum::<u32>();
                table.words += cell.iter().map(|block| block.words).sum::<u64>();
                if column > 0 {
                    table.text.push('\t');
                }
                push_line(&mut table.text, cell, |block| &block.text);
                table
                    .markdown
                    .push_str(if column > 0 { " | " } else { "| " });
                let mut line = String::new();
                push_line(&mut line, cell, |block| &block.markdown);
                table.markdown.push_str(&line.replace('|', "\\|"));
            }
            table.markdown.push_str(" |\n");
            if number == 0 {
                table.markdown.push_str(&"| --- ".repeat(columns));
                table.markdown.push_str("|\n");
            }
        }
        table.markdown.truncate(table.markdown.trim_end().len());
        table.is_linked = linked_cells * 2 > cells;
        vec![table]
    }

    /// Its blocks in their order.
    pub(super) fn take_apart(self) -> Vec<Written> {
        self.rows.into_iter().flatten().flatten().collect()
    }
}

fn push_line(line: &mut String, blocks: &[Written], write: fn(&Written) -> &str) {
    for (number, block) in blocks.iter().enumerate() {
        if number > 0 {
            line.push_str(if block.is_item { "; " } else { " " });
        }
        for (number, part) in write(block).split_whitespace().enumerate() {
            if number > 0 {
                line.push(' ');
            }
            line.push_str(part);
        }
    }
}
