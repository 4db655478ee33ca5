import { lookup } from 'node:dns/promises';
import type { Logger } from 'pino';
import type { ControllerSettings } from '../../config/settings.ts';
import { selectTrunkHosts, selectTrunkNetworks } from '../../domain/carriers/trunks.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import { CarrierAddresses } from './carrier_addresses.ts';
import { SharedFailures } from './failures.ts';
import type { FailureStore } from './failures.ts';
import type { Gate } from './gate.ts';
import { Guard } from './guard.ts';
import type { RefusedWhy } from './guard.ts';
import { Memory } from './memory.ts';
import type { MemoryStore } from './memory.ts';

export interface GuardParts {
  settings: ControllerSettings;
  gate: Gate;
  redis: FailureStore & MemoryStore;
  db: Queryable;
  onRefused: (why: RefusedWhy) => void;
  log: Logger;
}

/** The switch compares the sender of each packet with every blocked address. */
const BLOCKS_MAX = 2000;

export function makeGuard({ settings, gate, redis, db, onRefused, log }: GuardParts): Guard {
  return new Guard({
    gate,
    failures: new SharedFailures(redis, settings.AUTH_WINDOW_SECONDS, Date.now),
    memory: new Memory({
      store: redis,
      proven_seconds: settings.AUTH_PROVEN_SECONDS,
      now: Date.now,
      onTrouble: (error) => log.warn({ err: error }, 'Redis does not answer; blocked addresses are kept here'),
    }),
    limits: {
      failures_max: settings.AUTH_FAILURES_MAX,
      unidentified_max: settings.AUTH_UNIDENTIFIED_MAX,
      block_ms: settings.AUTH_BLOCK_SECONDS * 1000,
      blocks_max: BLOCKS_MAX,
    },
    never_blocked: new Set(settings.AUTH_NEVER_BLOCKED),
    trunkNetworks: () => selectTrunkNetworks(db),
    now: Date.now,
    onRefused,
    log,
  });
}

export function carrierAddresses(db: Queryable, log: Logger): CarrierAddresses {
  return new CarrierAddresses({
    read: async () => ({ networks: await selectTrunkNetworks(db), hosts: await selectTrunkHosts(db) }),
    resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
    onUnresolved: (host, error) =>
      log.warn({ host, err: error }, 'the address of a carrier is not known now, and stays what it was'),
  });
}
