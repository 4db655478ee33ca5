/** What a document can be; how each is called to people, what it is compared with, and for how long it counts. */

export const DOCUMENT_TYPES = [
  'passport',
  'country_identification',
  'proof_of_address',
  'company_certificate',
  'representative_identity',
] as const;
export type DocumentType = (typeof DOCUMENT_TYPES)[number];

export const CLAIMS = ['full_name', 'birth_date', 'address', 'company_name', 'registration_number'] as const;
export type ClaimName = (typeof CLAIMS)[number];

export const NUMBER_TYPES = ['geographic', 'mobile', 'toll_free'] as const;
export type NumberType = (typeof NUMBER_TYPES)[number];

export const PARTIES = ['person', 'business'] as const;
export type Party = (typeof PARTIES)[number];

interface TypeOfDocument {
  words: string;
  /** Which claims it bears out: when one of them changes, the document is looked at again. */
  bears_out: readonly ClaimName[];
  /** For how many days it counts; null where the document says itself when it ends. */
  days_valid: number | null;
}

const YEAR_DAYS = 365;

export const TYPE_OF_DOCUMENT: Readonly<Record<DocumentType, TypeOfDocument>> = {
  passport: { words: 'Passport', bears_out: ['full_name', 'birth_date'], days_valid: null },
  country_identification: {
    words: 'Identity card of a country',
    bears_out: ['full_name', 'birth_date'],
    days_valid: null,
  },
  proof_of_address: {
    words: 'Proof of address',
    bears_out: ['full_name', 'company_name', 'address'],
    days_valid: YEAR_DAYS,
  },
  company_certificate: {
    words: 'Company certificate',
    bears_out: ['company_name', 'registration_number'],
    days_valid: YEAR_DAYS,
  },
  representative_identity: {
    words: 'Identity document of who acts for the company',
    bears_out: ['full_name', 'birth_date'],
    days_valid: null,
  },
};

export const WORDS_OF_CLAIM: Readonly<Record<ClaimName, string>> = {
  full_name: 'Full name',
  birth_date: 'Date of birth',
  address: 'Address',
  company_name: 'Name of the company',
  registration_number: 'Number in the register of companies',
};
