/** A user's token, from the host application, and fetch with it; as session.mjs of README.md, for many users at once. */
export class Session {
  #tokenURL;
  #user;
  #held;
  #fetching;

  constructor(tokenURL, user) {
    this.#tokenURL = tokenURL;
    this.#user = user;
  }

  async #fetchToken() {
    const response = await fetch(this.#tokenURL, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ handle: this.#user }),
    });
    if (!response.ok) throw new Error(`No token: ${response.status}`);
    this.#held = await response.json();
  }

  /** A token that is still good. */
  async token() {
    if (!this.#held || Date.parse(this.#held.expiresAt) < Date.now() + 30_000) {
      this.#fetching ??= this.#fetchToken().finally(() => (this.#fetching = undefined));
      await this.#fetching;
    }
    return this.#held.token;
  }

  /** For a token that was refused. */
  forget() {
    this.#held = undefined;
  }

  /** fetch with the token. Should it be refused, once more with a new one. */
  fetch = async (address, options = {}) => {
    const send = async () =>
      fetch(address, { ...options, headers: { ...options.headers, Authorization: `Bearer ${await this.token()}` } });
    const response = await send();
    if (response.status !== 401) return response;
    this.forget();
    return send();
  };
}
