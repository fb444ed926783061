//! What generated clients call: typed at the edge, the rest in [`Connection`].

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::call::Reading;
use crate::connection::Connection;
use crate::error::{Error, ErrorKind};
use crate::operation::Operation;

impl Connection {
    /// Runs an operation with a typed input and output.
    pub async fn run<I: Serialize, O: DeserializeOwned>(
        &self,
        operation: &'static Operation,
        input: &I,
    ) -> Result<O, Error> {
        let output = self.call(operation, to_json(operation, input)?).await?;
        O::deserialize(&output).map_err(|error| self.mistyped(operation, &error, output))
    }

    fn mistyped(&self, operation: &'static Operation, error: &serde_json::Error, output: Value) -> Error {
        Error::new(ErrorKind::Protocol, format!("the answer does not have the declared form: {error}"))
            .operation(operation.name)
            .output(output)
            .advice("the operation itself worked; its output is attached to this error as JSON")
            .clean(|text| self.redactor().clean(text))
    }

    /// Reads an operation's records one by one, a page at a time.
    pub fn items<I: Serialize, T: DeserializeOwned>(
        &self,
        operation: &'static Operation,
        input: &I,
    ) -> Result<Items<T>, Error> {
        let input = to_json(operation, input)?;
        Ok(Items {
            connection: self.clone(),
            operation,
            input: Some(input),
            reading: None,
            page: Vec::new().into_iter().enumerate(),
            of: PhantomData,
        })
    }
}

/// Records that are fetched as they are asked for; one page is held at a time.
pub struct Items<T> {
    connection: Connection,
    operation: &'static Operation,
    input: Option<Value>,
    reading: Option<Reading>,
    page: std::iter::Enumerate<std::vec::IntoIter<Value>>,
    of: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for Items<T> {
    /// The input and the records may hold secrets, and are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Items({})", self.operation.name)
    }
}

impl<T: DeserializeOwned> Items<T> {
    /// The next record; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        match self.next_value().await {
            // The record is taken apart, and read again in the rare case that it does not fit.
            Ok(Some((index, value))) => Some(serde_json::from_value(value).map_err(|error| {
                let record = self.reading.as_ref().and_then(|reading| reading.again(index)).unwrap_or_default();
                self.connection.mistyped(self.operation, &error, record)
            })),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        }
    }

    /// The next record, and its place in its page.
    async fn next_value(&mut self) -> Result<Option<(usize, Value)>, Error> {
        loop {
            if let Some(value) = self.page.next() {
                return Ok(Some(value));
            }
            if let Some(input) = self.input.take() {
                self.reading = Some(self.connection.open(self.operation, &input).await?);
            }
            let Some(reading) = &mut self.reading else { return Ok(None) };
            match reading.next_page().await {
                Ok(Some(page)) => self.page = page.into_iter().enumerate(),
                Ok(None) => {
                    self.reading = None;
                    return Ok(None);
                }
                Err(error) => {
                    self.reading = None;
                    return Err(error);
                }
            }
        }
    }
}

fn to_json<I: Serialize>(operation: &'static Operation, input: &I) -> Result<Value, Error> {
    serde_json::to_value(input).map_err(|error| {
        Error::new(ErrorKind::Input, format!("the input cannot be written as JSON: {error}")).operation(operation.name)
    })
}

/// A connection's typed parameters as the map that settings hold.
pub fn parameters<P: Serialize>(parameters: &P) -> Result<serde_json::Map<String, Value>, Error> {
    match serde_json::to_value(parameters) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(Error::new(ErrorKind::Configuration, "the parameters cannot be written as JSON")),
    }
}
