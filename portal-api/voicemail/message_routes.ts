import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { e164, instantOut, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { accountOf } from '../identity/whose.ts';
import { accountKey } from '../kyc/account_key.ts';
import { deleteMessage, findMessage, markHeard, messagesOf } from './message_rows.ts';
import type { VoiceMessage } from './message_rows.ts';
import { unsealRecording } from './sealed_recording.ts';
import type { VoicemailParts } from './voicemail_parts.ts';

/** What callers said, for those who answer the phones; whoever sees to the bills alone hears none of it. */
export function messageRoutes(parts: VoicemailParts): Route[] {
  return [list(parts), listen(parts), heard(parts), remove(parts)];
}

const policy = { customer: ['owner', 'member'] } as const;
const params = z.object({ message_id: uuid });

const messageShape = z
  .object({
    message_id: uuid,
    number: e164,
    /** Null where it was withheld. */
    caller: z.string().nullable(),
    recorded_at: instantOut,
    seconds: z.int(),
    heard_at: instantOut.nullable(),
  })
  .meta({ id: 'VoiceMessage' });

const messageAnswer = ({ id, number, caller, recorded_at, seconds, heard_at }: VoiceMessage) => ({
  ...{ message_id: id, number, caller, recorded_at, seconds, heard_at },
});

function list({ pool }: VoicemailParts): Route {
  return route(
    {
      method: 'get',
      path: '/v1/voice-messages',
      operation_id: 'list_voice_messages',
      summary: 'What callers said where nobody answered.',
      tag: 'voicemail',
      policy,
      query: pageQuery,
      answers: { 200: { description: 'Newest first.', json: pageOf(messageShape) } },
    },
    async ({ query, identity }) => {
      const after = decodeCursor(query.cursor, z.tuple([z.iso.datetime(), uuid]));
      const from = after === null ? null : { recorded_at: after[0], id: after[1] };
      const rows = await messagesOf(pool, accountOf(identity), from, query.limit + 1);
      const key = ({ recorded_at, id }: VoiceMessage) => [recorded_at.toISOString(), id] as const;
      return { status: 200, body: page(rows, query.limit, { key, item: messageAnswer }) };
    },
  );
}

function listen({ pool, keys, folder }: VoicemailParts): Route {
  return route(
    {
      method: 'get',
      path: '/v1/voice-messages/{message_id}/audio',
      operation_id: 'listen_to_voice_message',
      summary: 'A message to listen to.',
      tag: 'voicemail',
      policy,
      params,
      answers: { 200: { description: 'A WAV of one channel, 16 bits, 8 kHz.', media: 'audio/wav' } },
      problems: ['not_found'],
    },
    async ({ params: { message_id }, identity, now }) => {
      const account_id = accountOf(identity);
      const message = await findMessage(pool, account_id, message_id);
      if (message === null) throw new Problem('not_found');
      const key = await inTransaction(pool, (tx) => accountKey(tx, keys, account_id, now));
      const { key_sealed, file_id } = message;
      const bytes = unsealRecording(key, message_id, { key_sealed, file: await folder.read(file_id) });
      const headers = {
        'content-type': 'audio/wav',
        'cache-control': 'private, no-store',
        'content-disposition': `inline; filename="${message_id}.wav"`,
      };
      return { status: 200, bytes, headers };
    },
  );
}

function heard({ pool }: VoicemailParts): Route {
  return route(
    {
      method: 'post',
      path: '/v1/voice-messages/{message_id}/heard',
      operation_id: 'mark_voice_message_heard',
      summary: 'Say that a message was heard.',
      tag: 'voicemail',
      policy,
      params,
      answers: { 204: { description: 'It is noted.', empty: true } },
      problems: ['not_found'],
    },
    async ({ params: { message_id }, identity, now }) => {
      if (!(await markHeard(pool, accountOf(identity), message_id, now))) throw new Problem('not_found');
      return { status: 204 };
    },
  );
}

function remove({ pool, folder }: VoicemailParts): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/voice-messages/{message_id}',
      operation_id: 'delete_voice_message',
      summary: 'Delete a message for good.',
      tag: 'voicemail',
      policy,
      params,
      answers: { 204: { description: 'Nothing of it is left.', empty: true } },
      problems: ['not_found'],
    },
    async ({ params: { message_id }, identity }) => {
      const file_id = await deleteMessage(pool, accountOf(identity), message_id);
      if (file_id === null) throw new Problem('not_found');
      // Where the process dies before this, whoever sweeps removes what no message has.
      await folder.remove(file_id);
      return { status: 204 };
    },
  );
}
