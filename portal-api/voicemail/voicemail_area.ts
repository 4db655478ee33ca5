import { z } from 'zod';
import { Duties } from '../../domain/running/duties.ts';
import type { Area, PortalContext } from '../context.ts';
import { task } from '../jobs/task.ts';
import type { Task } from '../jobs/task.ts';
import { sweepGreetings } from './mailbox.ts';
import { mailboxRoutes } from './mailbox_routes.ts';
import { deleteOlder, withoutMessage } from './message_rows.ts';
import { messageRoutes } from './message_routes.ts';
import { takeMessages } from './take_messages.ts';
import { voicemailParts } from './voicemail_parts.ts';
import type { VoicemailParts } from './voicemail_parts.ts';

const LOOK_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Mailboxes of numbers, and what was said into them. */
export function voicemailArea(context: PortalContext): Area {
  const parts = voicemailParts(context);
  const duties = new Duties(context.log);
  const told = new Set<string>();
  return {
    routes: [...mailboxRoutes(parts), ...messageRoutes(parts)],
    tasks: [forgetVoiceMessages(parts), forgetGreetings(parts)],
    start: () => {
      // What callers said lies in plain for no longer than it has to: the switch leaves files, and tells nobody.
      if (parts.spool !== null) duties.every(LOOK_MS, () => takeMessages(parts, told));
      return Promise.resolve();
    },
    stop: () => {
      duties.stop();
      return Promise.resolve();
    },
  };
}

/** Each night: what is too old, and files whose message is gone, as of a process that died between the two. */
function forgetVoiceMessages({ pool, folder, settings, now }: VoicemailParts): Task {
  return task(
    'forget_voice_messages',
    z.object({}),
    async () => {
      const at_ms = now().getTime();
      const old = await deleteOlder(pool, new Date(at_ms - settings.VOICE_MESSAGE_DAYS * DAY_MS));
      for (const file_id of old) await folder.remove(file_id);
      const left = await withoutMessage(pool, await folder.listBefore(new Date(at_ms - HOUR_MS)));
      for (const file_id of left) await folder.remove(file_id);
    },
    '41 3 * * *',
  );
}

/** Each hour: greetings of numbers that went to somebody else, or that are greeted otherwise by now. */
function forgetGreetings({ pool, spool, now }: VoicemailParts): Task {
  return task(
    'forget_greetings',
    z.object({}),
    async () => {
      if (spool !== null) await sweepGreetings(pool, spool.greetings, new Date(now().getTime() - HOUR_MS / 6));
    },
    '23 * * * *',
  );
}
