import type pg from 'pg';
import type { Logger } from 'pino';
import type { GatewaySettings } from '../../config/gateway_settings.ts';
import { deadLetters, replayDeadLetters } from '../../domain/texts/dead_letters.ts';
import { cancelText } from '../accept/cancel_text.ts';
import type { TextPayer } from '../accept/payer.ts';
import type { Remembered } from '../accept/remembered.ts';
import type { ReplaceOptions } from '../accept/replace_text.ts';
import { DeadLetterDesk } from './dead_letter_desk.ts';
import { Guesses } from './guesses.ts';
import { messageView } from './message_view.ts';
import { ReplacementDesk } from './replacement_desk.ts';
import { TextServer } from './text_server.ts';
import type { TextServerOptions } from './text_server.ts';

export interface TextServerParts extends Pick<TextServerOptions, 'acceptor' | 'converted'> {
  settings: Pick<GatewaySettings, 'GATEWAY_HOST' | 'GATEWAY_HTTP_PORT'>;
  db: pg.Pool;
  payers: Remembered<TextPayer | null>;
  /** What replaces a text is judged as a new one is. */
  judging: ReplaceOptions['judge'] & Pick<ReplaceOptions, 'screen' | 'giveBack'>;
  log: Logger;
}

/** The HTTP port of a gateway with these settings. */
export function assembleTextServer({ settings, db, payers, judging, ...parts }: TextServerParts): TextServer {
  const { GATEWAY_HOST: host, GATEWAY_HTTP_PORT: port } = settings;
  const { giveBack } = judging;
  return new TextServer({
    ...{ host, port, ...parts },
    payerOfKey: (secret_sha256) => payers.get(secret_sha256),
    guesses: new Guesses(() => performance.now()),
    view: (account_id, message_id) => messageView(db, account_id, message_id),
    cancel: (account_id, message_id) => cancelText({ db, giveBack }, account_id, message_id, new Date()),
    replacements: new ReplacementDesk({ db, giveBack, judge: judging, screen: judging.screen }),
    dead_letters: new DeadLetterDesk({
      letters: (page) => deadLetters(db, page),
      replay: (wishes) => replayDeadLetters(db, wishes, new Date()),
    }),
  });
}
