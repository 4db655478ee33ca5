import { expect } from 'vitest';
import { documentForm, samplePicture } from '../../documents/testing/sample_files.ts';
import type { PortalClient, Reply } from '../../testing/portal_client.ts';
import type { PortalWorld } from '../../testing/portal_world.ts';

/** Steps that tests take on the way to somebody who is known. */

export const WHO = {
  full_name: 'Ada Example',
  birth_date: '1990-02-03',
  address: { street: 'Street 1', postal_code: '10115', city: 'Berlin', country: 'DE' },
};

export interface CaseBody {
  case_id: string;
  state: string;
  locked_until: string | null;
}

export interface DocumentBody {
  document_id: string;
  type: string;
  state: string;
  page_count: number;
  reason: { code: string; words: string } | null;
  note: string | null;
  valid_until: string | null;
  is_kept: boolean;
}

export interface OwnCaseBody {
  kyc_case: CaseBody | null;
  documents: DocumentBody[];
  claims_version: number;
  missing: string[] | null;
}

export async function upload(client: PortalClient, type: string, bytes?: Buffer): Promise<DocumentBody> {
  const form = documentForm(type, bytes ?? (await samplePicture()));
  const reply = await client.post<DocumentBody>('/v1/kyc/documents', undefined, { form });
  expect(reply).toMatchObject({ status: 201 });
  return reply.body;
}

export const submit = (client: PortalClient): Promise<Reply<CaseBody>> =>
  client.post<CaseBody>('/v1/kyc/submit', { country: 'DE', number_type: 'geographic' });

/** Claims, passport and proof of address, handed in. */
export async function handIn(client: PortalClient): Promise<{ case_id: string; documents: DocumentBody[] }> {
  expect(await client.ask('PUT', '/v1/kyc/claims', { body: WHO, version: 0 })).toMatchObject({ status: 200 });
  const documents = [await upload(client, 'passport'), await upload(client, 'proof_of_address')];
  const reply = await submit(client);
  expect(reply).toMatchObject({ status: 200, body: { state: 'submitted' } });
  return { case_id: reply.body.case_id, documents };
}

export const approve = (
  admin: PortalClient,
  { document_id, type }: { document_id: string; type: string },
  valid_until = '2034-05-06',
): Promise<Reply> =>
  admin.post(`/v1/admin/kyc/documents/${document_id}/decide`, {
    verdict: 'approve',
    ...(type === 'proof_of_address' ? {} : { valid_until }),
  });

/** All the way to an approved case. */
export async function becomeKnown(
  client: PortalClient,
  admin: PortalClient,
  valid_until?: string,
): Promise<{ case_id: string; documents: DocumentBody[] }> {
  const handed_in = await handIn(client);
  const base = `/v1/admin/kyc/cases/${handed_in.case_id}`;
  expect(await admin.post(`${base}/take`)).toMatchObject({ status: 200 });
  for (const document of handed_in.documents) {
    expect(await approve(admin, document, valid_until)).toMatchObject({ status: 200 });
  }
  expect(await admin.post(`${base}/close`, { outcome: 'approved' })).toMatchObject({ status: 200 });
  return handed_in;
}

/** Runs a task now, and waits until it is done. */
export async function runTask({ pool }: PortalWorld, name: string): Promise<void> {
  const key = `test:${name}`;
  await pool.query(`select graphile_worker.add_job($1, payload => '{}', job_key => $2)`, [name, key]);
  await expect
    .poll(async () => (await pool.query('select 1 from graphile_worker.jobs where key = $1', [key])).rowCount, {
      timeout: 10_000,
    })
    .toBe(0);
}
