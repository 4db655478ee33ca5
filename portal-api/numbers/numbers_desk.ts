import type { PortalContext } from '../context.ts';
import type { BuyerPorts } from './orders/buyer.ts';
import type { NumberProviders } from './provider/number_provider.ts';

type Given = 'pool' | 'keys' | 'ring' | 'now' | 'log' | 'settings';

/** What every route and task of this area is given. */
export interface NumbersDesk extends Pick<PortalContext, Given>, BuyerPorts {
  providers: NumberProviders;
}
