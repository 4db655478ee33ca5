/**
 * Whether a server answers there.
 * @param is_enough what counts: by default whatever it says, as that it asks for a key is an answer too.
 */
export async function httpAnswers(
  url: string,
  is_enough: (response: Response) => boolean = () => true,
): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
    await response.body?.cancel();
    return is_enough(response);
  } catch {
    return false;
  }
}
