import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ToldOnce } from './told_once.ts';

it('what was told lately is no news, whatever was told in between', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 50, maxLength: 200 }), (ids) => {
      const ids_max = 10;
      const once = new ToldOnce(ids_max);
      const news: number[] = [];
      for (const id of ids) {
        const was_told_lately = news.slice(-ids_max).includes(id);
        const is_news = once.isNews(String(id));
        if (was_told_lately) expect(is_news).toBe(false);
        if (!news.slice(-2 * ids_max).includes(id)) expect(is_news).toBe(true);
        if (is_news) news.push(id);
      }
    }),
  );
});
