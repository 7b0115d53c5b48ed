// What the page asks of the server beside the live feed.

export class ApiError extends Error {}

interface ErrorBody {
  error?: { message?: string };
}

/** Appends JSON rows to a topic, through the log like any producer. */
export async function produce(topic: string, rows: unknown[]): Promise<void> {
  let response: Response;
  try {
    response = await fetch(`/api/topics/${encodeURIComponent(topic)}/records`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(rows),
    });
  } catch {
    throw new ApiError("the server does not answer");
  }
  if (response.ok) return;
  const body = (await response.json().catch(() => ({}))) as ErrorBody;
  throw new ApiError(body.error?.message ?? `the server answered ${response.status}`);
}
