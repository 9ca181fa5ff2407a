// The frame of every view: navigation, the view, and which instance answered last.
import { useEffect, useRef } from "preact/hooks";
import { listHash, VIEWS, type Route, type View } from "./router";
import { route } from "./state/address";
import { ServedNote } from "./ui/served-note";
import { Logo } from "./ui/logo";
import { ClusterView } from "./views/cluster";
import { CustomerView } from "./views/customer";
import { CustomerOrdersView } from "./views/customer-orders";
import { CustomersView } from "./views/customers";
import { GreetingsView } from "./views/greetings";
import { OrdersView } from "./views/orders";
import { RejectsView } from "./views/rejects";

export function App() {
  const { view, customerId } = route.value;
  const place = customerId === undefined ? view : `${view}/${customerId}`;
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);

  // A change of view is a new page to somebody who doesn't see it: focus goes to its heading. Not
  // at the first load, where the browser's own beginning is right.
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    scrollTo(0, 0);
    main.current?.querySelector("h1")?.focus({ preventScroll: true });
  }, [place]);

  return (
    <div class="frame">
      {/* The hash is the page's address, so the link's own way of going there is held back. */}
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to content
      </a>
      <header class="side">
        <a class="brand" href="#/customers" aria-label="Tandem, to the customers">
          <Logo />
          <span>Tandem</span>
        </a>
        <nav aria-label="Main">
          <ul>
            {VIEWS.map((entry) => (
              <li key={entry.view}>
                <a
                  href={listHash(entry.view)}
                  aria-current={entry.view === view ? "page" : undefined}
                >
                  {entry.title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <ServedNote />
      </header>
      <main id="content" tabIndex={-1} ref={main}>
        <Shown key={place} route={route.value} />
      </main>
    </div>
  );
}

const LISTS: Record<View, (props: { route: Route }) => preact.JSX.Element> = {
  customers: CustomersView,
  orders: OrdersView,
  "customer-orders": CustomerOrdersView,
  greetings: GreetingsView,
  cluster: ClusterView,
  rejects: RejectsView,
};

function Shown({ route }: { route: Route }) {
  if (route.customerId !== undefined) return <CustomerView customerId={route.customerId} />;
  const List = LISTS[route.view];
  return <List route={route} />;
}
