package testfleet.junit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A pristine copy of a server that nobody else has, as a parameter or field of the type {@link Server} or
 * {@link LeasedServer}. It is given back after the test; that of a static field or of {@code @BeforeAll}, after the class.
 * The parameters and fields of one test that name the same server have the same copy.
 */
@Target({ElementType.PARAMETER, ElementType.FIELD})
@Retention(RetentionPolicy.RUNTIME)
@Documented
@ExtendWith(TestfleetExtension.class)
public @interface Lease {
    /** Name of the server. */
    String value();

    /** How long to wait for a free copy, in seconds. */
    int timeoutSeconds() default 60;
}
