//! Why a row has its score: what each column added on the way from root to leaf (Saabas, 2014).

use super::{Rows, TreeError, Trees};

/// What one column added to a score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// Which column.
    pub column: usize,
    /// How much it added, in units of the score (log-odds for two classes).
    pub amount: f32,
    /// What the row has there.
    pub observed: f32,
    /// The median of the rows that were learned from.
    pub usual: f32,
}

impl Trees {
    /// What made a row's score what it is: puts what each column added into `out`, those that raised
    /// the score most first, and hands back what is added to any row. Together they are the score.
    /// `output` is 0 for two classes, else the class.
    ///
    /// # Errors
    /// When the row has another width than those that were learned from, or when there is no such
    /// output.
    pub fn explain(
        &self,
        row: &[f32],
        output: usize,
        out: &mut Vec<Part>,
    ) -> Result<f32, TreeError> {
        let expected = self.width();
        if row.len() != expected {
            return Err(TreeError::Width { expected, given: row.len() });
        }
        let (label, outputs) = (output as u32, self.outputs());
        let Some(base) = self.base.get(output) else {
            return Err(TreeError::BadLabel { row: 0, label, classes: outputs as u32 });
        };
        let mut base = f64::from(*base);
        let mut amounts = vec![0.0_f64; expected];
        for at in (output..self.len()).step_by(outputs) {
            let (nodes, values) = self.tree(at);
            let mut here = 0;
            base += f64::from(values[0]);
            while usize::from(nodes[here].left) != here {
                let node = nodes[here];
                let column = usize::from(node.column);
                let below = usize::from(node.left) + usize::from(row[column] > node.threshold);
                amounts[column] += f64::from(values[below]) - f64::from(values[here]);
                here = below;
            }
        }
        out.clear();
        let parts = amounts.iter().enumerate().filter(|(_, amount)| **amount != 0.0);
        out.extend(parts.map(|(column, amount)| Part {
            column,
            amount: *amount as f32,
            observed: row[column],
            usual: self.usual[column],
        }));
        out.sort_by(|a, b| b.amount.total_cmp(&a.amount).then(a.column.cmp(&b.column)));
        Ok(base as f32)
    }

    /// The scores of one row.
    ///
    /// # Errors
    /// When the row has another width than those that were learned from.
    pub fn score(&self, row: &[f32], out: &mut Vec<f32>) -> Result<(), TreeError> {
        self.scores(Rows::new(row, row.len())?, out)
    }
}
