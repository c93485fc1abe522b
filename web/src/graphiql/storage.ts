/**
 * GraphiQL's storage for one member: this window's only, and gone with it, so that neither two members' tabs mix
 * nor ids of an earlier database linger.
 */
export function memberStorage(namespace: string) {
  const prefix = `acquaint:${namespace}:`;
  const keys = () => Object.keys(sessionStorage).filter((key) => key.startsWith(prefix));
  return {
    getItem: (key: string) => sessionStorage.getItem(prefix + key),
    setItem: (key: string, value: string) => sessionStorage.setItem(prefix + key, value),
    removeItem: (key: string) => sessionStorage.removeItem(prefix + key),
    clear: () => keys().forEach((key) => sessionStorage.removeItem(key)),
    get length() {
      return keys().length;
    },
  };
}

export type MemberStorage = ReturnType<typeof memberStorage>;
