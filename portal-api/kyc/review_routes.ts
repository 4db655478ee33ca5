import { z } from 'zod';
import { line, prose, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { caseAnswer, caseRefused, caseShape, documentAnswer, documentShape } from './answers.ts';
import { caseQueueRoute } from './case_queue_routes.ts';
import type { KycCase } from './case_rows.ts';
import { claimsSchema } from './claims.ts';
import { DOCUMENT_TYPES, PARTIES } from './document_types.ts';
import type { KycParts } from './kyc_parts.ts';
import { REASON_CODES, REASONS } from './reasons.ts';
import { KYC_ADMINS } from './requirement_routes.ts';
import { askAgain, closeCase, decideDocument, moveByAdmin } from './review_case.ts';
import type { Reviewed } from './review_case.ts';
import { viewCase, viewPage } from './view_case.ts';
import { adminOf } from '../identity/whose.ts';

/** What reviewers do. */
export const reviewRoutes = (parts: KycParts): Route[] => [
  listReasons(),
  caseQueueRoute(parts),
  move(parts, 'take', 'Take a case: for half an hour from each step it is yours alone.'),
  move(parts, 'release', 'Let go of a case, for others to take.'),
  move(parts, 'reopen', 'Let somebody who was rejected try again.'),
  readCase(parts),
  readPage(parts),
  decide(parts),
  askForOne(parts),
  close(parts),
];

const policy = { admin: KYC_ADMINS };
const tag = 'kyc admin';
const caseParams = z.object({ case_id: uuid });
/** Why somebody's data is looked at; it is told in the audit log, which the customer may ask for. */
const purpose = line(300).min(3);

function listReasons(): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/kyc/reasons',
      operation_id: 'list_kyc_reasons',
      summary: 'The reasons that a customer can be told.',
      tag,
      policy,
      answers: {
        200: {
          description: 'Each with its words.',
          json: z.object({ items: z.array(z.object({ code: z.enum(REASON_CODES), words: z.string() })) }),
        },
      },
    },
    () => {
      const items = REASON_CODES.map((code) => ({ code, words: REASONS[code] }));
      return Promise.resolve({ status: 200 as const, body: { items } });
    },
  );
}

/** The case, where it was done; throws what refuses it otherwise. */
function caseOf(reviewed: Reviewed): KycCase {
  if (reviewed.kind === 'unknown') throw new Problem('not_found');
  if (reviewed.kind === 'case_refused') throw caseRefused(reviewed.refusal);
  return reviewed.kyc_case;
}

function move(parts: KycParts, kind: 'take' | 'release' | 'reopen', summary: string): Route {
  return route(
    {
      method: 'post',
      path: `/v1/admin/kyc/cases/{case_id}/${kind}`,
      operation_id: `${kind}_kyc_case`,
      summary,
      tag,
      policy,
      params: caseParams,
      idempotent: true,
      answers: { 200: { description: 'How it stands now.', json: caseShape } },
      problems: ['conflict'],
    },
    async ({ identity, params, now }) => {
      const admin_id = adminOf(identity).user_id;
      const moved = await moveByAdmin(parts, { case_id: params.case_id, admin_id, now }, kind);
      return { status: 200, body: caseAnswer(caseOf(moved)) };
    },
  );
}

const viewedShape = z
  .object({
    kyc_case: caseShape,
    account_id: uuid,
    party: z.enum(PARTIES),
    claims: claimsSchema,
    documents: z.array(
      documentShape.extend({
        /** What the automatic verifier thinks, where there is one. It decides nothing. */
        auto_verdict: z.enum(['passed', 'failed', 'unsure']).nullable(),
      }),
    ),
  })
  .meta({ id: 'ViewedKycCase' });

function readCase(parts: KycParts): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/kyc/cases/{case_id}',
      operation_id: 'view_kyc_case',
      summary: 'A case with what the customer says about himself. That it was seen, by whom and what for, is logged.',
      tag,
      policy,
      params: caseParams,
      query: z.object({ purpose }),
      answers: { 200: { description: 'The case.', json: viewedShape } },
    },
    async ({ identity, params, query, now }) => {
      const viewing = { admin_id: adminOf(identity).user_id, purpose: query.purpose, now };
      const viewed = await viewCase(parts, params.case_id, viewing);
      if (viewed === null) throw new Problem('not_found');
      const { kyc_case, party, claims, documents } = viewed;
      const told = documents.map(({ document, note }) => ({
        ...documentAnswer(document, note),
        auto_verdict: document.auto_verdict,
      }));
      const { account_id } = kyc_case;
      return { status: 200, body: { kyc_case: caseAnswer(kyc_case), account_id, party, claims, documents: told } };
    },
  );
}

function readPage(parts: KycParts): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/kyc/documents/{document_id}/pages/{page}',
      operation_id: 'view_kyc_page',
      summary: 'One page of a document. That it was seen, by whom and what for, is logged.',
      tag,
      policy,
      params: z.object({ document_id: uuid, page: z.coerce.number().int().min(1).max(20) }),
      query: z.object({ purpose }),
      answers: { 200: { description: 'The page.', media: 'image/jpeg' } },
    },
    async ({ identity, params, query, now }) => {
      const viewing = { admin_id: adminOf(identity).user_id, purpose: query.purpose, now };
      const bytes = await viewPage(parts, params, viewing);
      if (bytes === null) throw new Problem('not_found');
      const headers = {
        'content-type': 'image/jpeg',
        'content-disposition': 'inline; filename="page.jpg"',
        'content-security-policy': "default-src 'none'; sandbox",
      };
      return { status: 200, bytes, headers };
    },
  );
}

const decisionBody = z
  .object({
    verdict: z.enum(['approve', 'reject', 'ask_again']),
    /** Needed where it is not approved. */
    reason: z.enum(REASON_CODES).optional(),
    /** To the customer, beside the reason. */
    note: prose(1_000).optional(),
    /** The last day on which the document is valid; needed of what bears one. */
    valid_until: z.iso.date().optional(),
  })
  .strict()
  .refine(({ verdict, reason }) => verdict === 'approve' || reason !== undefined, {
    path: ['reason'],
    message: 'is needed',
  });

function decide(parts: KycParts): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/kyc/documents/{document_id}/decide',
      operation_id: 'decide_kyc_document',
      summary: 'Approve or reject one document of a case that you took, or ask for it again.',
      tag,
      policy,
      params: z.object({ document_id: uuid }),
      body: decisionBody,
      idempotent: true,
      answers: { 200: { description: 'How the case stands now.', json: caseShape } },
      problems: ['conflict', 'too_late'],
    },
    async ({ identity, params, body, now }) => {
      const { verdict, reason = null, note = null, valid_until = null } = body;
      const decision = { event: verdict, reason, note, valid_until };
      const admin_id = adminOf(identity).user_id;
      const done = await decideDocument(parts, { document_id: params.document_id, admin_id, now, ...decision });
      if (done.kind === 'decided_before') throw new Problem('too_late', 'Nothing is to be decided about it.');
      if (done.kind === 'valid_until_needed') throw wrongDay('is needed: it stands on the document');
      if (done.kind === 'run_out') throw wrongDay('is over: ask for a document that is valid');
      return { status: 200, body: caseAnswer(caseOf(done)) };
    },
  );
}

const wrongDay = (message: string): Problem =>
  new Problem('invalid', 'The fields below are wrong. Correct them and ask again.', {
    errors: [{ path: 'body.valid_until', message }],
  });

function askForOne(parts: KycParts): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/kyc/cases/{case_id}/ask-again',
      operation_id: 'ask_kyc_document_again',
      summary: 'Ask for one document anew that was approved before; the others stay approved.',
      tag,
      policy,
      params: caseParams,
      body: z
        .object({ type: z.enum(DOCUMENT_TYPES), reason: z.enum(REASON_CODES), note: prose(1_000).optional() })
        .strict(),
      idempotent: true,
      answers: { 200: { description: 'How the case stands now.', json: caseShape } },
      problems: ['conflict'],
    },
    async ({ identity, params, body, now }) => {
      const { type, reason, note = null } = body;
      const asking = { case_id: params.case_id, admin_id: adminOf(identity).user_id, now, type, reason, note };
      const done = await askAgain(parts, asking);
      if (done.kind === 'not_approved') throw new Problem('conflict', 'No document of that type is approved.');
      return { status: 200, body: caseAnswer(caseOf(done)) };
    },
  );
}

const closingBody = z
  .object({ outcome: z.enum(['approved', 'needs_more', 'rejected']), reason: z.enum(REASON_CODES).optional() })
  .strict()
  .refine(({ outcome, reason }) => outcome !== 'rejected' || reason !== undefined, {
    path: ['reason'],
    message: 'is needed',
  });

function close(parts: KycParts): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/kyc/cases/{case_id}/close',
      operation_id: 'close_kyc_case',
      summary: 'End a review. The customer is told.',
      tag,
      policy,
      params: caseParams,
      body: closingBody,
      idempotent: true,
      answers: { 200: { description: 'How the case stands now.', json: caseShape } },
      problems: ['conflict', 'kyc_required'],
    },
    async ({ identity, params, body, now }) => {
      const { outcome, reason = null } = body;
      const reviewing = { case_id: params.case_id, admin_id: adminOf(identity).user_id, now, outcome, reason };
      const done = await closeCase(parts, reviewing);
      if (done.kind === 'undecided')
        throw new Problem('conflict', 'Some documents are not decided yet. Decide them first.');
      if (done.kind === 'complete') throw new Problem('conflict', 'Nothing is missing. Approve it, or reject it.');
      if (done.kind === 'incomplete') {
        throw new Problem('kyc_required', 'Not all that is asked for is approved. Close it as needs_more.', {
          missing: done.missing,
        });
      }
      return { status: 200, body: caseAnswer(caseOf(done)) };
    },
  );
}
