/** The switch did not answer or the connection broke: what was asked may or may not have happened. */
export class SwitchLost extends Error {
  override name = 'SwitchLost';
}
