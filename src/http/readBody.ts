import { HttpFailure } from './http.ts';
import type { TransportAnswer } from './transport.ts';

/** Far more than any document or token answer, and little enough for memory. */
export const longestBody = 1_048_576;

/**
 * Reads a body to its end as UTF-8.
 * @throws HttpFailure of kind `tooLarge` as soon as more than `longestBody` bytes have come; the rest is not fetched
 */
export async function readBody(answer: TransportAnswer, host: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  for (let chunk = await answer.read(); chunk !== undefined; chunk = await answer.read()) {
    length += chunk.length;
    if (length > longestBody) {
      answer.cancel();
      throw new HttpFailure('tooLarge', host);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
