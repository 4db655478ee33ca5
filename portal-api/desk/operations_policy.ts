/** Of what calls and texts go by: whoever answers customers or counts money looks, whoever runs the service edits. */
export const WHO_LOOKS = { admin: ['support', 'finance', 'operations', 'owner'] } as const;
export const WHO_EDITS = { admin: ['operations', 'owner'] } as const;
