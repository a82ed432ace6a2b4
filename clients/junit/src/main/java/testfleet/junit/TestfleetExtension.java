package testfleet.junit;

import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.platform.commons.support.AnnotationSupport;

/** Starts the fleet of {@link Fleet}, sets fields and parameters, and shows the logs of the servers when a test fails. */
public final class TestfleetExtension
        implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback, ParameterResolver {
    private static final Namespace NAMESPACE = Namespace.create(TestfleetExtension.class);
    /** With it, JUnit itself adds standard output to its report. */
    private static final String CAPTURE = "junit.platform.output.capture.stdout";

    @Override
    public void beforeAll(ExtensionContext context) {
        fleetOf(context);
        scopeOf(context);
        setFields(context, context.getRequiredTestClass(), null);
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        scopeOf(context);
        for (Object test : context.getRequiredTestInstances().getAllInstances()) {
            setFields(context, test.getClass(), test);
        }
    }

    @Override
    public void afterEach(ExtensionContext context) {
        end(context);
    }

    @Override
    public void afterAll(ExtensionContext context) {
        end(context);
    }

    /** Shows the logs before the leases are given back. */
    private static void end(ExtensionContext context) {
        TestScope scope = scopeOf(context);
        try {
            if (context.getExecutionException().isPresent()) show(context, scope);
        } finally {
            scope.close();
        }
    }

    private static void show(ExtensionContext context, TestScope scope) {
        RunningFleet fleet = findRun(context).map(FleetOfRun::running).orElse(null);
        // The start itself failed, so there are no logs.
        if (fleet == null) return;
        String text = ServerLogs.describe(fleet, scope.leases(), scope.since);
        boolean isCaptured = context.getConfigurationParameter(CAPTURE).map(Boolean::parseBoolean).orElse(false);
        if (!isCaptured) context.publishReportEntry("testfleet", text);
        System.out.println(text);
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        Class<?> type = parameter.getParameter().getType();
        // A server without an annotation is supported, so that it can be refused with a hint.
        return parameter.isAnnotated(FleetServer.class)
                || parameter.isAnnotated(Lease.class)
                || type == RunningFleet.class
                || Server.class.isAssignableFrom(type);
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        Parameter wanted = parameter.getParameter();
        if (wanted.getDeclaringExecutable() instanceof Constructor<?> && wanted.isAnnotationPresent(Lease.class)) {
            throw new TestfleetException(
                    "USAGE",
                    "@Lease(\"" + wanted.getAnnotation(Lease.class).value() + "\") is at a parameter of a constructor",
                    "Put it at a parameter of the test, or at a field.");
        }
        if (wanted.getType() != RunningFleet.class && !isOurs(wanted)) {
            throw new TestfleetException(
                    "USAGE",
                    "a parameter of " + wanted.getDeclaringExecutable().getName() + " is a server without a name",
                    "Add `@FleetServer(\"NAME\")` or `@Lease(\"NAME\")` to it.");
        }
        return find(context, wanted, wanted.getType());
    }

    private static void setFields(ExtensionContext context, Class<?> type, Object test) {
        for (Class<?> one = type; one != null; one = one.getSuperclass()) {
            for (Field field : one.getDeclaredFields()) {
                if (Modifier.isStatic(field.getModifiers()) == (test == null) && isOurs(field)) set(context, field, test);
            }
        }
    }

    private static boolean isOurs(AnnotatedElement element) {
        return element.isAnnotationPresent(FleetServer.class) || element.isAnnotationPresent(Lease.class);
    }

    private static void set(ExtensionContext context, Field field, Object test) {
        try {
            field.setAccessible(true);
            field.set(test, find(context, field, field.getType()));
        } catch (IllegalAccessException error) {
            throw new TestfleetException("USAGE", "the field " + field + " cannot be set", "Remove `final`.");
        }
    }

    private static Object find(ExtensionContext context, AnnotatedElement wanted, Class<?> type) {
        RunningFleet fleet = fleetOf(context);
        Object found = fleet;
        if (wanted.isAnnotationPresent(Lease.class)) found = scopeOf(context).lease(fleet, wanted.getAnnotation(Lease.class));
        else if (wanted.isAnnotationPresent(FleetServer.class)) {
            found = fleet.server(wanted.getAnnotation(FleetServer.class).value());
        }
        if (type.isInstance(found)) return found;
        throw new TestfleetException(
                "USAGE", wanted + " is not of the type " + found.getClass().getSimpleName(), "Change its type to `Server`.");
    }

    private static TestScope scopeOf(ExtensionContext context) {
        // A context without its own scope would find that of its class.
        String key = "scope of " + context.getUniqueId();
        return context.getStore(NAMESPACE).getOrComputeIfAbsent(key, name -> new TestScope(), TestScope.class);
    }

    private static RunningFleet fleetOf(ExtensionContext context) {
        return findRun(context).map(FleetOfRun::open).orElseThrow(() -> {
            String type = context.getRequiredTestClass().getSimpleName();
            return new TestfleetException("USAGE", "the class " + type + " has no @Fleet", "Add `@Fleet(\"testfleet.yaml\")`.");
        });
    }

    private static Optional<FleetOfRun> findRun(ExtensionContext context) {
        for (ExtensionContext at = context; at != null; at = at.getParent().orElse(null)) {
            // Also that of an annotation of the user's own.
            Fleet options = AnnotationSupport.findAnnotation(at.getTestClass(), Fleet.class).orElse(null);
            if (options != null) return Optional.of(runOf(at, options));
        }
        return Optional.empty();
    }

    private static FleetOfRun runOf(ExtensionContext context, Fleet options) {
        String scope = context.getRequiredTestClass().getSimpleName();
        boolean isOfClass = options.per() == Fleet.Per.CLASS;
        Object key = isOfClass
                ? "fleet of " + context.getRequiredTestClass().getName()
                : List.of(options.value(), List.of(options.servers()), options.per());
        ExtensionContext.Store store = (isOfClass ? classOf(context) : context.getRoot()).getStore(NAMESPACE);
        return store.getOrComputeIfAbsent(key, name -> new FleetOfRun(options, scope), FleetOfRun.class);
    }

    /** The context of the class: that of a test also has a class. */
    private static ExtensionContext classOf(ExtensionContext context) {
        ExtensionContext found = context;
        for (ExtensionContext at = context; at != null; at = at.getParent().orElse(null)) {
            if (at.getTestClass().equals(context.getTestClass())) found = at;
        }
        return found;
    }
}
