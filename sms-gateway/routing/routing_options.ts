import type { GatewaySettings } from '../../config/gateway_settings.ts';
import type { RouteBook } from './route_book.ts';

/** By what carriers are preferred to others, as the settings say. */
export function routingOptions(settings: GatewaySettings): ConstructorParameters<typeof RouteBook>[0]['routing'] {
  return {
    margin_ppm_min: settings.MARGIN_PPM_MIN,
    routes_max: settings.ROUTES_MAX,
    quality_weight_ppm: settings.QUALITY_WEIGHT_PPM,
  };
}
