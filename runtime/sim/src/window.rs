//! Which records a list is about: those of a range of time, in an order.

use std::ops::{Bound, RangeBounds};

use connectome_core::time;
use serde_json::Value;

use crate::behave::Turn;
use crate::filter::Filter;
use crate::http::Reply;
use crate::simulator::failure;
use crate::store::Store;

/// A field and the range in which it must be, in milliseconds.
struct Bounds {
    field: &'static str,
    since: Option<i64>,
    until: Option<i64>,
    before: Option<i64>,
}

impl Bounds {
    fn ends(&self) -> (Bound<i64>, Bound<i64>) {
        let until = self.until.map(Bound::Included).or(self.before.map(Bound::Excluded));
        (self.since.map_or(Bound::Unbounded, Bound::Included), until.unwrap_or(Bound::Unbounded))
    }

    fn holds(&self, moment: i64) -> bool {
        self.ends().contains(&moment)
    }
}

/// An order: a field, and whether the greatest comes first.
type Order<'a> = Option<(&'a str, bool)>;

impl Turn<'_> {
    /// What a request for a list must be, whatever is in the list.
    pub fn well_formed(&self) -> Result<(), Reply> {
        let size = self.behaviour.size.and_then(|name| Some((name, self.request.parameter(name)?)));
        match size {
            Some((name, text))
                if !self.behaviour.sizes.is_empty()
                    && !text.parse().is_ok_and(|size: usize| self.behaviour.sizes.contains(&size)) =>
            {
                Err(self.invalid(&format!("Invalid parameter: {name}.")))
            }
            _ => Ok(()),
        }
    }

    fn invalid(&self, why: &str) -> Reply {
        failure(self.service, "invalid", Some(why))
    }

    /// The numbers of the records that the request asks for, in its order.
    pub fn select(&self, store: &mut Store) -> Result<Vec<usize>, Reply> {
        let collection = self.collection();
        let ranges = self.ranges(store.now())?;
        let order = self.order()?;
        let numbers = match ranges.first() {
            None => store.numbers(collection).filter(|number| store.has(collection, *number)).collect(),
            Some(first) => store.between(collection, first.field, first.ends()),
        };
        let owner = self.owner();
        let filter = self.checked.filter.as_ref().filter(|filter| **filter != Filter::All);
        let others = ranges.get(1..).unwrap_or_default();
        let mut kept: Vec<usize> = numbers
            .into_iter()
            .filter(|number| {
                let inside =
                    |range: &Bounds| store.moment(collection, *number, range.field).is_some_and(|it| range.holds(it));
                if !store.seen(collection, *number) || !others.iter().all(inside) {
                    return false;
                }
                if filter.is_none() && owner.is_none() {
                    return true;
                }
                store.get(collection, *number).is_some_and(|record| {
                    owner.as_ref().is_none_or(|(field, value)| text(&record, field) == *value)
                        && filter.is_none_or(|filter| filter.holds(&record))
                })
            })
            .collect();
        let by_time = ranges.first().map(|first| first.field);
        let reversed = match order {
            Some((field, reversed)) => {
                if by_time != Some(field) {
                    kept.sort_by_cached_key(|number| store.get(collection, *number).map(|record| text(&record, field)));
                }
                reversed
            }
            // What has a time comes newest first unless somebody asks otherwise.
            None => by_time.is_some() != self.active.contains(&"other-order"),
        };
        if reversed {
            kept.reverse();
        }
        Ok(kept)
    }

    /// The ranges that the request names, those that it means without saying so among them.
    fn ranges(&self, now: i64) -> Result<Vec<Bounds>, Reply> {
        let behaviour = self.behaviour;
        let moment = |parameter: &str| match self.request.parameter(parameter) {
            None => Ok(None),
            // Services are narrower here than ISO 8601: whole seconds, in UTC.
            Some(text) => match time::parse(text) {
                Ok(time) if text.len() == 20 && text.as_bytes()[10] == b'T' && text.ends_with('Z') => {
                    Ok(Some(time.as_millisecond()))
                }
                _ => Err(self.invalid(&format!("Invalid parameter: {parameter}."))),
            },
        };
        let target =
            match behaviour.target.and_then(|(name, fields)| Some((name, fields, self.request.parameter(name)?))) {
                None => None,
                Some((name, fields, text)) => match fields.iter().find(|field| **field == text) {
                    Some(field) => Some(*field),
                    None => return Err(self.invalid(&format!("Invalid parameter: {name}."))),
                },
            };
        let flipped = self.active.contains(&"other-end");
        let mut ranges = Vec::new();
        for (at, (parameter, field)) in behaviour.since.iter().enumerate() {
            let of = |pairs: &[(&'static str, &'static str)]| match pairs.iter().find(|(_, other)| other == field) {
                Some((parameter, _)) => moment(parameter),
                None => Ok(None),
            };
            let mut since = moment(parameter)?;
            let (mut until, mut before) = (of(behaviour.until)?, of(behaviour.before)?);
            let end = until.or(before);
            let later = |seconds: u64| now - i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000);
            if let (Some(start), Some(longest)) = (since, behaviour.look_back)
                && start < later(longest)
            {
                return Err(self.invalid(&format!("{parameter} is too long ago.")));
            }
            // Whoever rounds up to whole seconds means now.
            if behaviour.up_to_now && end.is_some_and(|end| end >= now + 1000) {
                return Err(self.invalid("The range ends in the future."));
            }
            if let (Some(start), Some(widest)) = (since, behaviour.widest)
                && end.unwrap_or(now) - start > now - later(widest)
            {
                return Err(self.invalid("The range is too wide."));
            }
            if at == 0 && !behaviour.since.iter().any(|(parameter, _)| self.request.parameter(parameter).is_some()) {
                since = since.or(behaviour.usual_start.map(later));
            }
            if flipped {
                std::mem::swap(&mut until, &mut before);
            }
            if at == 0 || since.or(end).is_some() {
                let field = target.filter(|_| at == 0).unwrap_or(field);
                ranges.push(Bounds { field, since, until, before });
            }
        }
        Ok(ranges)
    }

    fn order(&self) -> Result<Order<'_>, Reply> {
        let Some((name, text)) = self.behaviour.order.and_then(|name| Some((name, self.request.parameter(name)?)))
        else {
            return Ok(None);
        };
        match text.split_once(' ').unwrap_or((text, "asc")) {
            (field, "asc") => Ok(Some((field, false))),
            (field, "desc") => Ok(Some((field, true))),
            _ => Err(self.invalid(&format!("Invalid parameter: {name}."))),
        }
    }

    /// A list below a path parameter holds the records of that parent: `by` names the field that points to it.
    fn owner(&self) -> Option<(&'static str, String)> {
        let field = self.behaviour.by.first()?;
        let (_, value) = self.parameters.first()?;
        Some((field, value.clone()))
    }
}

fn text(record: &Value, field: &str) -> String {
    record.get(field).map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned)).unwrap_or_default()
}
