/** What is told in one language. */
export interface LocaleWords<Template extends string, Fact extends string, Value extends string> {
  /** Whole sentences, without what is particular: that follows as a list of facts. `{brand}` and `{origin}` are filled in. */
  notices: Readonly<Record<Template, { readonly subject: string; readonly text: string }>>;
  /** What each fact is called in front of it. */
  labels: Readonly<Record<Fact, string>>;
  /** Words that our own code gives as facts. What a person wrote is told as it is. */
  values: Readonly<Record<Value, string>>;
}
