import { Problem } from '../../http/problem.ts';
import type { Opened } from './open_dispute.ts';

export function openedOrRefuse(opened: Opened): Extract<Opened, { kind: 'opened' }> {
  switch (opened.kind) {
    case 'opened':
      return opened;
    case 'not_found':
      throw new Problem('not_found', 'You never had this number here. If it is yours, write to our support.');
    case 'nobody_holds_it':
      throw new Problem('conflict', 'Nobody has this number now, so there is nobody to take it from.');
    case 'own':
      throw new Problem('conflict', 'Whoever says so has the number already.');
    case 'decided_before':
      throw new Problem(
        'conflict',
        'You have said so of this holder before, or we have decided on it. If there is something new, write to our support.',
      );
    case 'open_already':
      throw new Problem('conflict', 'We are looking into this number already.');
  }
}
