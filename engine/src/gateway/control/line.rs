//! One JSON value a line, with a bound.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What came instead of a value.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    /// What follows is the rest of the same line, so the connection is of no more use.
    #[error("a line is longer than {0} bytes")]
    TooLong(usize),
    /// The next line may be good.
    #[error("a line is not understood: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
}

/// `None` when the other side is done. Empty lines are skipped.
pub(super) async fn read<Value: DeserializeOwned>(
    reader: &mut (impl AsyncBufRead + Unpin),
    buffer: &mut Vec<u8>,
    most: usize,
) -> Result<Option<Value>, LineError> {
    loop {
        buffer.clear();
        let bound = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        let length = (&mut *reader).take(bound).read_until(b'\n', buffer).await?;
        if length > most && buffer.last() != Some(&b'\n') {
            return Err(LineError::TooLong(most));
        }
        if length == 0 {
            return Ok(None);
        }
        if !buffer.trim_ascii().is_empty() {
            return Ok(Some(serde_json::from_slice(buffer)?));
        }
    }
}

pub(super) async fn write(writer: &mut (impl AsyncWrite + Unpin), value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    writer.write_all(&line).await
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(mut bytes: &[u8], most: usize) -> Vec<Result<u32, String>> {
        let mut values = Vec::new();
        let mut buffer = Vec::new();
        loop {
            match read::<u32>(&mut bytes, &mut buffer, most).await {
                Ok(None) => return values,
                Ok(Some(value)) => values.push(Ok(value)),
                Err(LineError::Malformed(_)) => values.push(Err("malformed".into())),
                Err(error) => {
                    values.push(Err(error.to_string()));
                    return values;
                }
            }
        }
    }

    #[tokio::test]
    async fn lines_are_read_one_by_one_and_garbage_is_survived() {
        let expected = [Ok(1), Err("malformed".to_owned()), Err("malformed".to_owned()), Ok(2), Ok(3)];
        assert_eq!(all(b"1\n{\n\xff\xfe\n\r\n\n 2 \n3", 64).await, expected);
    }

    #[tokio::test]
    async fn a_line_has_a_bound() {
        assert_eq!(all(b"1234\n", 4).await, [Ok(1234)]);
        assert_eq!(all(b"12345\n", 4).await, [Err("a line is longer than 4 bytes".to_owned())]);
        assert_eq!(all(b"12345678901234567890", 4).await, [Err("a line is longer than 4 bytes".to_owned())]);
    }
}
