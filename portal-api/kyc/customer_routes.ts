import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Refusal } from '../documents/document_reader.ts';
import { country, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import type { ProblemName } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { EVERY_CUSTOMER, OWNER } from '../identity/policy.ts';
import { accountKey } from './account_key.ts';
import { caseAnswer, caseRefused, caseShape, documentAnswer, documentShape } from './answers.ts';
import { setClaims, submitCase, withdrawDocument } from './change_case.ts';
import { claimsSchema, readClaims } from './claims.ts';
import { DOCUMENT_TYPES, NUMBER_TYPES } from './document_types.ts';
import type { KycParts } from './kyc_parts.ts';
import { missingDocuments } from './missing_documents.ts';
import { uploadDocument } from './upload_document.ts';
import { viewOwnCase } from './view_case.ts';
import { customerOf } from '../identity/whose.ts';

/** What customers do about who they are. */
export const customerRoutes = (parts: KycParts): Route[] => [
  readCase(parts),
  readOwnClaims(parts),
  putClaims(parts),
  postDocument(parts),
  removeDocument(parts),
  submit(parts),
];

const FILE_BYTES_MAX = 10_000_000;

const ownCaseShape = z
  .object({
    kyc_case: caseShape.nullable(),
    documents: z.array(documentShape),
    /** To be sent as If-Match with other claims. */
    claims_version: z.int(),
    /** For the number that was asked about: what is not approved yet. Null where none was asked about. */
    missing: z.array(z.string()).nullable(),
  })
  .meta({ id: 'OwnKycCase' });

function readCase(parts: KycParts): Route {
  return route(
    {
      method: 'get',
      path: '/v1/kyc',
      operation_id: 'read_kyc_case',
      summary: 'How far the check of your documents is, and what is missing for a number.',
      tag: 'kyc',
      policy: { customer: EVERY_CUSTOMER },
      query: z.object({ country: country.optional(), number_type: z.enum(NUMBER_TYPES).optional() }),
      answers: { 200: { description: 'The case and each document.', json: ownCaseShape } },
    },
    async ({ identity, query, now }) => {
      const { account_id } = customerOf(identity);
      const { kyc_case, documents, claims_version } = await viewOwnCase(parts, account_id, now);
      const { country: wanted, number_type } = query;
      const missing =
        wanted === undefined || number_type === undefined
          ? null
          : await missingDocuments(parts.pool, { account_id, country: wanted, number_type, now });
      const body = {
        kyc_case: kyc_case === null ? null : caseAnswer(kyc_case),
        documents: documents.map(({ document, note }) => documentAnswer(document, note)),
        ...{ claims_version, missing },
      };
      return { status: 200, body };
    },
  );
}

const claimsAnswer = z.object({ claims: claimsSchema, version: z.int() }).meta({ id: 'KycClaims' });

function readOwnClaims({ pool, keys }: KycParts): Route {
  return route(
    {
      method: 'get',
      path: '/v1/kyc/claims',
      operation_id: 'read_kyc_claims',
      summary: 'What you said about yourself, which is compared with the documents.',
      tag: 'kyc',
      policy: { customer: OWNER },
      answers: { 200: { description: 'Version 0: nothing yet.', json: claimsAnswer } },
    },
    async ({ identity, now }) => {
      const { account_id } = customerOf(identity);
      const said = await inTransaction(pool, async (tx) =>
        readClaims(tx, account_id, await accountKey(tx, keys, account_id, now)),
      );
      return { status: 200, body: said, version: said.version };
    },
  );
}

function putClaims(parts: KycParts): Route {
  return route(
    {
      method: 'put',
      path: '/v1/kyc/claims',
      operation_id: 'put_kyc_claims',
      summary: 'Say who you are. Documents that bear out what is said otherwise now are to be looked at again.',
      tag: 'kyc',
      policy: { customer: OWNER, step_up: true },
      body: claimsSchema,
      versioned: true,
      answers: { 200: { description: 'As it is said now.', json: claimsAnswer } },
      problems: ['conflict'],
    },
    async ({ identity, body, version, now }) => {
      const { account_id, user_id } = customerOf(identity);
      if (body.birth_date !== undefined && body.birth_date > now.toISOString().slice(0, 10)) {
        const errors = [{ path: 'body.birth_date', message: 'is a day to come' }];
        throw new Problem('invalid', 'The fields below are wrong. Correct them and ask again.', { errors });
      }
      const done = await setClaims(parts, { account_id, user_id, claims: body, version: version ?? 0, now });
      if (done.kind === 'case_refused') throw caseRefused(done.refusal);
      if (done.kind === 'version_conflict') throw new Problem('version_conflict', 'Read them again, and change those.');
      return { status: 200, body: { claims: body, version: done.version }, version: done.version };
    },
  );
}

const WORDS_OF_FILE: Readonly<Record<Refusal, readonly [ProblemName, string]>> = {
  empty: ['invalid', 'The file is empty.'],
  unknown_kind: ['unsupported', 'Send a picture as JPEG, PNG or WebP, or a PDF. What a file is called makes it none.'],
  heic: ['unsupported', 'Pictures as HEIC cannot be read here. Save it as JPEG, or take it with “most compatible”.'],
  unreadable: ['invalid', 'The file is broken, or it is not what it begins as. Save it anew and send that.'],
  too_many_pixels: ['invalid', 'The picture has more than 40 million pixels. Make it smaller.'],
  too_small: ['invalid', 'It has less than 100 pixels on one side, on which nothing can be read.'],
  animated: ['invalid', 'A picture that moves shows no document. Send a still one.'],
  locked: ['invalid', 'The PDF is locked by a password. Save it without one.'],
  no_pages: ['invalid', 'The PDF has no pages.'],
  too_many_pages: ['invalid', 'A PDF has at most 20 pages here. Send those that matter.'],
  too_much: ['invalid', 'Its pages are too large together. Send fewer, or smaller ones.'],
  too_slow: ['invalid', 'It takes too long to be read. Send a picture of it.'],
};

function postDocument(parts: KycParts): Route {
  return route(
    {
      method: 'post',
      path: '/v1/kyc/documents',
      operation_id: 'upload_kyc_document',
      summary: 'Upload one document: a picture, or a PDF. Of the file only what it shows is kept.',
      tag: 'kyc',
      policy: { customer: OWNER },
      pace: 'costly',
      upload: { bytes_max: FILE_BYTES_MAX, fields: z.object({ type: z.enum(DOCUMENT_TYPES) }).strict() },
      idempotent: true,
      answers: { 201: { description: 'Kept, and not handed in yet.', json: documentShape } },
      problems: ['conflict'],
    },
    async ({ identity, upload, operation_id, now }) => {
      const { account_id, user_id } = customerOf(identity);
      const { bytes, fields } = upload;
      const file = { id: operation_id, account_id, user_id, type: fields.type, bytes, now };
      const done = await uploadDocument(parts, file);
      switch (done.kind) {
        case 'uploaded':
          return { status: 201, body: documentAnswer(done.document, null) };
        case 'case_refused':
          throw caseRefused(done.refusal);
        case 'file_refused':
          throw new Problem(...WORDS_OF_FILE[done.refusal]);
        case 'too_many':
          throw new Problem('conflict', 'You have as many documents here as fit. Remove some that are not handed in.');
        case 'busy':
          throw new Problem('unavailable', 'Many send documents now. Nothing was kept; send it again in a minute.', {
            retry_after_seconds: 30,
          });
        case 'no_room':
          throw new Problem('unavailable', 'Documents cannot be kept right now. Nothing was; send it again later.', {
            retry_after_seconds: 300,
          });
      }
    },
  );
}

function removeDocument(parts: KycParts): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/kyc/documents/{document_id}',
      operation_id: 'delete_kyc_document',
      summary: 'Take a document back that is not handed in.',
      tag: 'kyc',
      policy: { customer: OWNER },
      params: z.object({ document_id: uuid }),
      answers: { 204: { description: 'Nothing of it is kept.', empty: true } },
      problems: ['too_late'],
    },
    async ({ identity, params, now }) => {
      const { account_id } = customerOf(identity);
      const done = await withdrawDocument(parts, { account_id, document_id: params.document_id, now });
      if (done === 'unknown') throw new Problem('not_found');
      if (done === 'too_late') throw new Problem('too_late', 'It was handed in, and is kept as the rules say.');
      return { status: 204 };
    },
  );
}

function submit(parts: KycParts): Route {
  return route(
    {
      method: 'post',
      path: '/v1/kyc/submit',
      operation_id: 'submit_kyc_case',
      summary: 'Hand in what you uploaded, for a number of that type in that country.',
      tag: 'kyc',
      policy: { customer: OWNER },
      body: z.object({ country, number_type: z.enum(NUMBER_TYPES) }).strict(),
      idempotent: true,
      answers: { 200: { description: 'It waits for a reviewer.', json: caseShape } },
      problems: ['conflict', 'kyc_required'],
    },
    async ({ identity, body, now }) => {
      const { account_id } = customerOf(identity);
      const done = await submitCase(parts, { account_id, ...body, now });
      switch (done.kind) {
        case 'submitted':
          return { status: 200, body: caseAnswer(done.kyc_case) };
        case 'case_refused':
          throw caseRefused(done.refusal);
        case 'incomplete':
          throw new Problem('kyc_required', 'Upload or say what is missing, and hand it in then.', {
            missing: done.missing,
          });
        case 'nothing_new':
          throw new Problem(
            'conflict',
            'Nothing was uploaded that is not decided. For this number nothing is missing.',
          );
      }
    },
  );
}
