import { createContext, useContext } from 'react';
import { Api } from './api';
import type { MeView } from './views';

// The key lives as long as the tab: sessionStorage, never localStorage or a cookie.
const storageKey = 'suan.key';

export const loadKey = (): string => sessionStorage.getItem(storageKey) ?? '';
export const storeKey = (key: string): void => sessionStorage.setItem(storageKey, key);
export const forgetKey = (): void => sessionStorage.removeItem(storageKey);

/** Who is signed in, and the way to talk to the domain as them. */
export interface Session {
  api: Api;
  me: MeView;
  signOut(): void;
}

export const SessionContext = createContext<Session | null>(null);

/** The session; only below the sign-in page. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error('no session above this part');
  return session;
}
