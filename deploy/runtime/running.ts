/** A part of the system that runs. */
export interface Running {
  /** What runs where, for a person: `Postgres 18 on 127.0.0.1:54321`. */
  describe: string;
  /** Ends it in good order, by force after a bound. May be called again. */
  stop: () => Promise<void>;
  /** Ends it at once, when there is no time left for good order. */
  kill: () => void;
  /** Resolves, with the reason, when it ends without having been asked to; never otherwise. */
  died: Promise<Error>;
}

/** For parts that are only pointed at: nobody here sees them die. */
export const immortal: Promise<Error> = new Promise(() => undefined);
