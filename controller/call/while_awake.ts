import type { CallWorld } from './session.ts';

/**
 * A process that stood still hears, when it goes on, of calls that began and failed meanwhile: they may be another controller's, who talks to
 * them by now. What would move such a call waits until it is certain that the switch is still ours. @param awake resolves then.
 */
export function whileAwake(media: CallWorld['media'], awake: () => Promise<void>): CallWorld['media'] {
  return {
    bridge: async (channel_id, plan) => {
      await awake();
      return media.bridge(channel_id, plan);
    },
    refuse: async (channel_id, refusal) => {
      await awake();
      return media.refuse(channel_id, refusal);
    },
    hangUp: async (channel_id, cause) => {
      await awake();
      return media.hangUp(channel_id, cause);
    },
    warn: (channel_id) => media.warn(channel_id),
    armDeadline: (channel_id, b_channel_id, remaining_ms) => media.armDeadline(channel_id, b_channel_id, remaining_ms),
  };
}
