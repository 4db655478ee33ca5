import { z } from 'zod';
import type { Area, PortalContext } from '../context.ts';
import { task } from '../jobs/task.ts';
import type { Task } from '../jobs/task.ts';
import { endSpokenCodes } from './ask_for_call.ts';
import { sendCodeMail } from './code_mail.ts';

/** Codes by mail and by call: tasks alone. */
export function codesArea(context: PortalContext): Area {
  return { routes: [], tasks: [sendCodeMail(context), endSpokenCodes(context), forgetCodes(context)] };
}

const DAY_MS = 86_400_000;

/** Each night: codes of yesterday say nothing any more, not even about who asks for too many. */
function forgetCodes({ pool, now }: PortalContext): Task {
  return task(
    'forget_codes',
    z.object({}),
    async () => {
      await pool.query('delete from verification_code where created_at < $1', [new Date(now().getTime() - DAY_MS)]);
    },
    '17 3 * * *',
  );
}
