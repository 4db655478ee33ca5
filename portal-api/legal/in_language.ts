/** The text in the language of a locale such as `de-AT`; in English where it is missing, or in any where that is missing too. */
export function inLanguage<Row extends { locale: string }>(rows: readonly Row[], locale: string): Row | null {
  const language = locale.slice(0, 2);
  return (
    rows.find((row) => row.locale === locale) ??
    rows.find((row) => row.locale === language) ??
    rows.find((row) => row.locale === 'en') ??
    rows[0] ??
    null
  );
}
