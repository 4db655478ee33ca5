/** What the switch saw of somebody's credentials. `address` is an IP address without a port. */
export type Sign =
  /**
   * Credentials that are wrong. `forgeable`: it came by a transport on which anybody can write any sender's address (UDP); a
   * switch may report it before it knows whether the sender ever received its challenge.
   */
  | { kind: 'failed'; address: string; forgeable: boolean }
  /**
   * Right credentials in answer to a challenge. Its sender's address cannot be forged by who only guesses; somebody who has credentials can have
   * the challenge sent elsewhere (`maddr`) where no firewall drops that.
   */
  | { kind: 'succeeded'; address: string }
  /** A request that is nobody's. */
  | { kind: 'unidentified'; address: string };

export interface GateListener {
  sign: (sign: Sign) => void;
  /** The switch is there (again) and may shut out nobody any more, or somebody it should not. */
  opened: () => void;
}

/** The part of a switch that can see who fails to log in, and turn addresses away before they are listened to. */
export interface Gate {
  /** Connects, and connects again for ever when the connection is lost. Resolves when the first attempt is over, however it went. */
  watch(listener: GateListener): Promise<void>;
  /** From now on these addresses, and no others, are turned away. Throws when the switch does not take it. */
  shutOut(addresses: readonly string[]): Promise<void>;
  close(): void;
}
