/** What the development server answers a sign-in with. */
interface Grant {
  token: string;
  expiresAt: string;
}

export class SignInError extends Error {
  constructor(readonly status: number) {
    super(`the server answered ${status}`);
  }
}

async function signIn(handle: string): Promise<Grant> {
  const response = await fetch('/dev/sign-in', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ handle }),
  });
  if (!response.ok) throw new SignInError(response.status);
  return (await response.json()) as Grant;
}

/** A demo member signed in on a development server: a token, renewed as long as the page is open. */
export class Session {
  /** Every token this session has had; any of them in a request stands for the newest. */
  readonly #issued = new Set<string>();
  readonly #listeners = new Set<(token: string) => void>();
  #token = '';
  #renewAt = Infinity;
  #renewing: Promise<string> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor(readonly handle: string) {}

  static async open(handle: string): Promise<Session> {
    const session = new Session(handle);
    await session.renew();
    return session;
  }

  /** The newest token, without asking whether it is still good. */
  get current(): string {
    return this.#token;
  }

  owns(token: string): boolean {
    return this.#issued.has(token);
  }

  /** A token that is good for a while. Should renewing fail, the last one: the server's answer then tells. */
  async token(): Promise<string> {
    if (Date.now() >= this.#renewAt) await this.renew().catch(() => undefined);
    return this.#token;
  }

  /** Signs in anew. Calls at the same time share one sign-in. */
  renew(): Promise<string> {
    this.#renewing ??= signIn(this.handle)
      .then(({ token, expiresAt }) => {
        this.#token = token;
        this.#issued.add(token);
        this.#schedule(Date.parse(expiresAt));
        for (const listener of this.#listeners) listener(token);
        return token;
      })
      .finally(() => {
        this.#renewing = undefined;
      });
    return this.#renewing;
  }

  /** Calls back with each token to come. */
  onRenew(listener: (token: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Renews a minute before the end, or in a short life when a fifth of it is left. */
  #schedule(expiresAt: number): void {
    clearTimeout(this.#timer);
    if (Number.isNaN(expiresAt)) return;
    const left = expiresAt - Date.now();
    const wait = Math.max(left - Math.min(60_000, left / 5), 1_000);
    this.#renewAt = Date.now() + wait;
    this.#timer = setTimeout(() => void this.renew().catch(() => undefined), Math.min(wait, 2 ** 31 - 1));
  }
}
