import { App as Messages, ConfigProvider, theme } from 'antd';
import enUS from 'antd/locale/en_US';
import zhCN from 'antd/locale/zh_CN';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { Api, ApiError, problemOf } from './api';
import { Shell } from './shell';
import { loadLanguage, storeLanguage, wordsOf, WordsContext } from './i18n';
import { Login } from './pages/login';
import { LanguageContext } from './parts/language';
import { ProblemView } from './parts/problem';
import { useDark, useStill } from './parts/taste';
import { forgetKey, loadKey, SessionContext, storeKey, type Session } from './session';
import type { MeView, Problem } from './views';

const token = { borderRadius: 8, fontFamily: 'var(--font)' };
const lightToken = { colorPrimary: '#1457d9' };
const darkToken = {
  colorPrimary: '#5b8ff0',
  colorLink: '#6b9bf5',
  colorBgContainer: '#131926',
  colorBgElevated: '#1b2333',
};

/** Languages, colours, and whether anybody is signed in. */
export function Root() {
  const [language, setLanguage] = useState(loadLanguage);
  const isDark = useDark();
  const isStill = useStill();
  const words = useMemo(() => wordsOf(language), [language]);
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
    document.title = words.t('title');
  }, [language, words]);
  const choose = useCallback((next: typeof language) => {
    storeLanguage(next);
    setLanguage(next);
  }, []);
  return (
    <ConfigProvider
      locale={language === 'zh' ? zhCN : enUS}
      theme={{
        algorithm: isDark ? theme.darkAlgorithm : theme.defaultAlgorithm,
        token: { ...(isDark ? darkToken : lightToken), ...token, motion: !isStill },
      }}
    >
      <Messages>
        <WordsContext value={words}>
          <LanguageContext value={choose}>
            <SignedIn />
          </LanguageContext>
        </WordsContext>
      </Messages>
    </ConfigProvider>
  );
}

function SignedIn() {
  const [key, setKey] = useState(loadKey);
  const [me, setMe] = useState<MeView | null>(null);
  const [isExpired, setExpired] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const leave = useCallback((wasExpired: boolean) => {
    forgetKey();
    setKey('');
    setMe(null);
    setExpired(wasExpired);
  }, []);
  const session = useMemo<Session | null>(() => {
    if (!key || !me) return null;
    return { api: new Api(key, () => leave(true)), me, signOut: () => leave(false) };
  }, [key, me, leave]);
  const recall = useCallback(async () => {
    setProblem(null);
    try {
      setMe(await new Api(key).get<MeView>('/v1/me'));
    } catch (error) {
      if (error instanceof ApiError && error.problem.status === 401) leave(true);
      else setProblem(problemOf(error));
    }
  }, [key, leave]);
  useEffect(() => {
    if (key && !me) void recall();
  }, [key, me, recall]);

  if (session) {
    return (
      <SessionContext value={session}>
        <Shell />
      </SessionContext>
    );
  }
  if (key) {
    return (
      <main className="login">
        {problem && <ProblemView problem={problem} retry={() => void recall()} />}
      </main>
    );
  }
  const enter = (newKey: string, who: MeView) => {
    storeKey(newKey);
    setMe(who);
    setKey(newKey);
    setExpired(false);
  };
  return <Login isExpired={isExpired} onKey={enter} />;
}
