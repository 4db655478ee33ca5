/** The switch did not answer, or there is no connection to it. */
export class SwitchLost extends Error {
  override name = 'SwitchLost';
  /** Whether it may have done what was asked all the same: the answer was lost, and not the question. */
  readonly may_have_happened: boolean;

  constructor(message: string, { may_have_happened = false }: { may_have_happened?: boolean } = {}) {
    super(message);
    this.may_have_happened = may_have_happened;
  }
}
