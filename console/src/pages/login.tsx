import { Alert, Button, Card, Form, Input } from 'antd';
import { useState } from 'react';
import { Api, problemOf } from '../api';
import icon from '../icon.svg';
import { useWords } from '../i18n';
import { LanguageSwitch } from '../parts/language';
import { ProblemView } from '../parts/problem';
import type { MeView, Problem } from '../views';

/** Asks for a key and checks it before anything is kept. */
export function Login(props: { isExpired: boolean; onKey: (key: string, me: MeView) => void }) {
  const { t } = useWords();
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isBusy, setBusy] = useState(false);
  const signIn = async (fields: { key: string }) => {
    const key = fields.key.trim();
    setBusy(true);
    setProblem(null);
    try {
      props.onKey(key, await new Api(key).get<MeView>('/v1/me'));
    } catch (error) {
      setProblem(problemOf(error));
    }
    setBusy(false);
  };
  return (
    <main className="login">
      <div className="login-language">
        <LanguageSwitch />
      </div>
      <Card className="login-card">
        <img src={icon} alt="" width={52} height={52} />
        <h1>{t('brand')}</h1>
        <p className="quiet">{t('brand.line')}</p>
        {props.isExpired && !problem && (
          <Alert type="warning" showIcon title={t('login.expired')} />
        )}
        {problem?.status === 401 ? (
          <Alert type="error" showIcon title={t('login.refused')} description={problem.detail} />
        ) : (
          problem && <ProblemView problem={problem} />
        )}
        <Form layout="vertical" requiredMark={false} onFinish={signIn}>
          <Form.Item
            name="key"
            label={t('login.key')}
            extra={t('login.where')}
            rules={[{ required: true, whitespace: true, message: t('login.needed') }]}
          >
            <Input.Password
              autoFocus
              size="large"
              autoComplete="off"
              spellCheck={false}
              placeholder="suan_…"
            />
          </Form.Item>
          <Button type="primary" size="large" block htmlType="submit" loading={isBusy}>
            {t('login.do')}
          </Button>
        </Form>
      </Card>
    </main>
  );
}
