declare const currencyBrand: unique symbol;

/** An ISO 4217 code of a currency in use, e.g. `EUR`. Made by `parseCurrency` only. */
export type Currency = string & { readonly [currencyBrand]: true };

/** Active codes of ISO 4217 (list one), without metals, test codes and funds codes that no wallet is kept in. */
const CODES = new Set(
  (
    'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF ' +
    'CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG ' +
    'HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA ' +
    'MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD ' +
    'RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX ' +
    'USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG'
  ).split(' '),
);

/** ISO 4217 minor units, where they are not two. */
const WITHOUT_CENTS = new Set('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' '));
const WITH_THOUSANDTHS = new Set('BHD IQD JOD KWD LYD OMR TND'.split(' '));

/** The currency named by exactly three capital letters, or null where ISO 4217 has none of that name. */
export function parseCurrency(code: string): Currency | null {
  return isCurrency(code) ? code : null;
}

/** How many decimals an amount in this currency has on an invoice: 2 for EUR, 0 for JPY, 3 for KWD. */
export function centsDigits(currency: Currency): number {
  if (WITHOUT_CENTS.has(currency)) return 0;
  return WITH_THOUSANDTHS.has(currency) ? 3 : 2;
}

function isCurrency(code: string): code is Currency {
  return CODES.has(code);
}
