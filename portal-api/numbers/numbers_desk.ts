import type { PortalContext } from '../context.ts';
import type { BuyerPorts } from './orders/buyer.ts';
import type { NumberProviders } from './provider/number_provider.ts';

/** What every route and task of this area is given. */
export interface NumbersDesk extends Pick<PortalContext, 'pool' | 'ring' | 'now' | 'log' | 'settings'>, BuyerPorts {
  providers: NumberProviders;
}
