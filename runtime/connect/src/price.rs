//! What models cost: prices of a profile, and the cost of an answer by them.

use kait_engine::event::TokenPrice;
use kait_ir::{Currency, Money};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};

use crate::leaf::ModelBinding;

/// How many tokens a price is for.
const PRICED_TOKENS: i64 = 1_000_000;

/// The price of a million tokens: `"0.25 usd"` in a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price(pub Money);

impl Price {
    /// Reads `0.25 usd` or `0.25usd`: an amount that is not negative, and a currency of three letters.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a price: write what a million tokens cost, such as \"0.25 usd\""
            )
        };
        let split = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wrong)?;
        let (amount, currency) = text.split_at(split);
        let amount: Decimal = amount.trim().parse().map_err(|_| wrong())?;
        let currency = Currency::parse(currency.trim()).ok_or_else(wrong)?;
        if amount.is_sign_negative() && !amount.is_zero() {
            return Err(format!("`{text}` is not a price: it is below zero"));
        }
        Ok(Self(Money { amount, currency }))
    }

    /// What that many tokens cost.
    #[must_use]
    pub fn of(&self, tokens: u64) -> Decimal {
        let tokens = Decimal::from(tokens) / Decimal::from(PRICED_TOKENS);
        self.0.amount.saturating_mul(tokens)
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// What a model's tokens cost; what has no price costs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    input: Option<Price>,
    output: Option<Price>,
}

impl Prices {
    /// The prices of a binding.
    pub fn of(binding: &ModelBinding) -> Self {
        Self { input: binding.input_price, output: binding.output_price }
    }

    /// What one token costs; `None` if there is no price, or in two currencies.
    pub fn per_token(&self) -> Option<TokenPrice> {
        let currency = self.cost(0, 0)?.currency;
        let of = |price: Option<Price>| price.map(|price| price.of(1)).unwrap_or_default();
        Some(TokenPrice { currency, read: of(self.input), written: of(self.output) })
    }

    /// What tokens cost that were read and written; `None` if there is no price, or in two currencies.
    pub fn cost(&self, read: u64, written: u64) -> Option<Money> {
        let (first, rest) = match (self.input, self.output) {
            (Some(input), output) => ((input, read), output.map(|price| (price, written))),
            (None, Some(output)) => ((output, written), None),
            (None, None) => return None,
        };
        let currency = first.0.0.currency;
        let mut amount = first.0.of(first.1);
        if let Some((price, tokens)) = rest {
            if price.0.currency != currency {
                return None;
            }
            amount = amount.saturating_add(price.of(tokens));
        }
        Some(Money { amount, currency })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> Option<Price> {
        Some(Price::parse(text).unwrap())
    }

    #[test]
    fn tokens_cost_what_a_million_of_them_costs() {
        let prices = Prices { input: price("0.25 usd"), output: price("2USD") };
        let cost = prices.cost(1_000, 500).unwrap();
        assert_eq!(cost.amount.normalize().to_string(), "0.00125");
        assert_eq!(cost.currency.as_str(), "usd");
        let prices = Prices { input: None, output: price("0.1 eur") };
        assert_eq!(prices.cost(7, 10_000_000).unwrap().amount.normalize().to_string(), "1");
    }

    #[test]
    fn without_a_price_there_is_no_cost_and_two_currencies_are_none() {
        assert_eq!(Prices::default().cost(1, 1), None);
        let mixed = Prices { input: price("1 usd"), output: price("1 eur") };
        assert_eq!(mixed.cost(1, 1), None);
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for text in ["", "usd", "1", "1 dollars", "-1 usd", "1 usd extra", "x usd"] {
            assert!(Price::parse(text).is_err(), "{text}");
        }
    }
}
